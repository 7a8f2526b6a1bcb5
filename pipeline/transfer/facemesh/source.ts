/**
 * The portrait as a textured mesh: FaceMesh's points in the aligned crop, two rings that tie the
 * face to the photo, and the edge of the teeth it shows. Texture coordinates are the mesh's own
 * vertices in the portrait (method 3.4, where the source's attributes are kept for all frames).
 *
 * @module
 */
import { FOCAL, project, worldToCamera } from "../../face/camera.ts";
import { CANONICAL, POINTS } from "../../face/canonical.ts";
import type { AlignedPortrait } from "../../face/crop.ts";
import type { Mat3 } from "../../face/linear.ts";
import {
  FACE_OVAL,
  INNER_RING,
  LOWER_LIP,
  OUTER_RING,
  TEETH,
  TOPOLOGY,
  type Topology,
  UPPER_LIP,
  VERTICES,
} from "./topology.ts";

/** A portrait ready to be deformed. */
export interface SourceMesh {
  /** Vertices in pixels of the crop, 549 x (x, y, depth); smaller depth is nearer. */
  readonly vertices: Float64Array;
  /** Texture coordinates, 549 x (u, v) in 0..1 of the crop. */
  readonly uv: Float32Array;
  /** Triangles and what each shows. */
  readonly topology: Topology;
  /** Opacity of the face mask at each vertex: 1 on the face, 1/2 on its rim, 0 on the rings. */
  readonly mask: Float32Array;
  /** Turns displacements of the head's frame into those of the crop (x right, y down, z away). */
  readonly rotation: Mat3;
  /** Pixels of the crop for one unit of the world at the face. */
  readonly pixelsPerUnit: number;
}

/** The rings lie this many times as far from the middle of the face as its rim. */
const RING_SCALES = [1.15, 1.45] as const;

/** How far behind the lips the mouth's inside lies, in world units. */
const MOUTH_DEPTH = 0.02;

/** Prepares the mesh of an aligned portrait. */
export function prepareSource(portrait: AlignedPortrait): SourceMesh {
  const size = portrait.picture.width;
  const facing = project(portrait.cam2world, centre(CANONICAL))[2];
  const pixelsPerUnit = (portrait.headScale ?? 1) * FOCAL * size / facing;
  const vertices = new Float64Array(3 * VERTICES);
  vertices.set(portrait.landmarks);
  placeRings(vertices, pixelsPerUnit);
  placeTeeth(vertices, pixelsPerUnit);
  const mask = new Float32Array(VERTICES).fill(1);
  for (const i of FACE_OVAL) mask[i] = 0.5;
  mask.fill(0, INNER_RING, TEETH);
  return {
    vertices,
    uv: Float32Array.from(
      { length: 2 * VERTICES },
      (_, k) => vertices[3 * (k >> 1) + (k & 1)] / size,
    ),
    topology: TOPOLOGY,
    mask,
    rotation: worldToCamera(portrait.cam2world),
    pixelsPerUnit,
  };
}

function centre(points: ArrayLike<number>): [number, number, number] {
  const sum: [number, number, number] = [0, 0, 0];
  for (let k = 0; k < 3 * POINTS; k++) sum[k % 3] += points[k] / POINTS;
  return sum;
}

/** The rings: the face's rim, pushed outwards from its middle and backwards. */
function placeRings(vertices: Float64Array, pixelsPerUnit: number): void {
  const middle = [0, 1].map((k) =>
    FACE_OVAL.reduce((sum, i) => sum + vertices[3 * i + k], 0) /
    FACE_OVAL.length
  );
  FACE_OVAL.forEach((rim, k) => {
    RING_SCALES.forEach((scale, ring) => {
      const at = 3 * ((ring === 0 ? INNER_RING : OUTER_RING) + k);
      for (let axis = 0; axis < 2; axis++) {
        vertices[at + axis] = middle[axis] +
          scale * (vertices[3 * rim + axis] - middle[axis]);
      }
      vertices[at + 2] = vertices[3 * rim + 2] +
        0.1 * (ring + 1) * pixelsPerUnit;
    });
  });
}

/**
 * The lower edge of what the portrait shows in its mouth lies on the lower lip: in the portrait
 * itself there is no cavity, be its mouth open or shut.
 */
function placeTeeth(vertices: Float64Array, pixelsPerUnit: number): void {
  for (let k = 1; k < UPPER_LIP[0].length - 1; k++) {
    const from = 3 * LOWER_LIP[0][k];
    const at = 3 * (TEETH + k - 1);
    vertices.set(vertices.subarray(from, from + 3), at);
    vertices[at + 2] += MOUTH_DEPTH * pixelsPerUnit;
  }
}
