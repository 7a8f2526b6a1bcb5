/**
 * What the optimisations aim at: the source photo with an edited face, one
 * picture a frame, and the masks of the method (sections 3.7 and 5.2).
 *
 * @module
 */

/** Planar pictures of side S. */
export interface FrameTarget {
  /** (3, S, S) in [-1, 1]: the source with this frame's face. */
  edited: Float32Array;
  /** (S, S) in [0, 1]: 1 on the face that was rendered. */
  face: Float32Array;
  /** (S, S) in [0, 1]: 1 where the mouth opens and nothing was rendered. */
  hole: Float32Array;
}
