/**
 * What a training loop sees of the synthetic heads.
 *
 * @module
 */
import type { Tensor } from "../../engine/mod.ts";

/** Numbers of a camera label: cam2world 4 x 4 and intrinsics 3 x 3, by rows. */
export const LABEL = 25;

/** Pictures of heads, on the device; the caller's scope releases them. */
export interface HeadBatch {
  /** (B, latent): the latent of each picture. */
  readonly z: Tensor;
  /** (B, 25): its camera, EG3D's label. */
  readonly labels: Tensor;
  /** (B, 3, S, S) in [-1, 1], anti-aliased. */
  readonly picture: Tensor;
  /** (B, 1, S, S): share of the pixel that head, hair and clothes cover; 0 is all backdrop. */
  readonly opacity: Tensor;
  /**
   * (B, 1, S, S): world units along the unit ray through the pixel's centre to
   * the surface (mean over the covered part of the pixel); on the backdrop to
   * where the ray leaves the volume.
   */
  readonly distance: Tensor;
}

/** Which heads a studio draws. */
export interface StudioFiles {
  /** Packed ICT-FaceKit (`ict_facekit.npz`) or the folder of a release of it (OBJ files). */
  readonly heads: string;
  /** Skins, brows and hair (`makehuman.npz`). */
  readonly assets: string;
}

/** How a studio draws. */
export interface StudioOptions {
  /** Samples of a pixel along each axis; 3 when absent. */
  readonly samples?: number;
  /**
   * Longer latents, for more than the default generator was first trained on:
   * all identity modes, glasses, coloured light, backdrops that change over the
   * picture and the noise of a sensor. False when absent.
   */
  readonly variety?: boolean;
}

/** What latents mean, in numbers that depend on the picture one by one. */
export interface DescribedHeads {
  /** Numbers of each head. */
  readonly width: number;
  /** (B, width). */
  readonly values: Float32Array;
}

/** Draws heads. */
export interface HeadStudio {
  /** Numbers of a latent: 36, or 131 with variety. */
  readonly latent: number;
  /**
   * Draws heads. The same numbers give the same pictures. A latent that follows
   * itself, for another camera, is shaped once.
   *
   * @param z (B, latent)
   * @param labels (B, 25): cameras on EG3D's sphere, of intrinsics without skew
   * @param side pixels of a picture's side, S
   * @throws {ShapeError} when the numbers do not fit together
   */
  render(z: Float32Array, labels: Float32Array, side: number): HeadBatch;
  /**
   * Expression weights, shares of skins, hair and its colour, light ... of each
   * head: what a mapping network can be taught before there are pictures.
   *
   * @param z (B, latent)
   */
  describe(z: Float32Array): DescribedHeads;
  /** Releases the studio's tensors. */
  close(): void;
  /** Same as {@linkcode HeadStudio.close}. */
  [Symbol.dispose](): void;
}
