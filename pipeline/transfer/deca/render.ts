/**
 * Draws FLAME heads over a photo with the photo's own face on them (method,
 * sections 3.4 to 3.6).
 *
 * The release lifts the face into a texture map of 1024 x 1024 texels and reads
 * it from there. Both steps are linear on every triangle, so that the way from
 * a pixel to the place of the photo that it shows is linear there too: carrying
 * each vertex's place in the photo over the triangles is the same with an
 * infinitely fine map, without resampling twice, and needs no map. As in the
 * release nothing asks whether a place was visible in the photo, and there is
 * no light: it is in the photo.
 *
 *     rendered = photo + m (photo at source place - photo)
 *     m        = mask * (source place inside DECA's crop and the photo)
 *
 * @module
 */
import {
  add,
  type Device,
  interpolateAttributes,
  multiply,
  type Raster,
  rasterise,
  sampleTexture,
  slice,
  subtract,
  type Tensor,
} from "../../../engine/mod.ts";
import type { Picture } from "../../media/picture.ts";
import { cropBounds, type DecaCrop } from "./crop.ts";
import type { FaceMask } from "./mask.ts";

/** What stays the same from frame to frame. */
export interface FlameScene {
  /** The photo, square. */
  readonly photo: Picture;
  /** Where DECA saw it. */
  readonly crop: DecaCrop;
  /** Three vertices a triangle. */
  readonly faces: Uint32Array;
  /** The source's vertices in pixels of the photo: (V, 3), of which depth is not used. */
  readonly source: ArrayLike<number>;
  /** Which part of the head is the face. */
  readonly mask: FaceMask;
}

/** One head over the photo, on the device. */
export interface FlameDrawing {
  /** (3, S, S), 0 to 255: the photo with the head's face. */
  rendered: Tensor;
  /** (1, S, S): opacity of the face, 0 to 1. */
  mask: Tensor;
  /** (1, S, S): nearness, 1 at the head's nearest vertex, 0 at its farthest and beside the head. */
  depth: Tensor;
}

/** Draws the heads of one photo; owns what all of them share. */
export class FlameRenderer {
  readonly #device: Device;
  readonly #side: number;
  readonly #shared: SharedTensors;

  /** Uploads what the heads share. */
  constructor(device: Device, scene: FlameScene) {
    this.#device = device;
    this.#side = scene.photo.width;
    this.#shared = device.unscoped(() => upload(device, scene));
  }

  /**
   * Draws one head without waiting for it.
   *
   * @param vertices (V, 3): pixels of the photo and depth, smaller being nearer
   */
  draw(vertices: Float32Array): FlameDrawing {
    const device = this.#device, side = this.#side;
    const { photo, faces, source, opacity } = this.#shared;
    using scope = device.scope();
    return device.withoutTape(() => {
      const count = vertices.length / 3;
      const raster = rasterise(
        device.tensor(vertices, [count, 3]),
        faces,
        { height: side, width: side },
      );
      const lifted = sampleTexture(photo, source, raster, faces);
      const inside = slice(lifted, [3, 0, 0], [1, side, side]);
      const mask = multiply(opacity.over(raster), inside);
      const before = slice(photo, [0, 0, 0], [3, side, side]);
      const face = slice(lifted, [0, 0, 0], [3, side, side]);
      const rendered = add(before, multiply(mask, subtract(face, before)));
      const depth = interpolateAttributes(
        device.tensor(nearness(vertices), [count, 1]),
        raster,
        faces,
      );
      scope.keep([rendered, mask, depth]);
      return { rendered, mask, depth };
    });
  }

  /** Frees what the heads share. */
  [Symbol.dispose](): void {
    const { photo, faces, source, opacity } = this.#shared;
    for (const t of [photo, faces, source, ...opacity.tensors]) t.release();
  }
}

interface SharedTensors {
  /** (4, S, S): red, green, blue, 0 to 255, and where the crop shows the photo. */
  readonly photo: Tensor;
  /** (T, 3), u32. */
  readonly faces: Tensor;
  /** (V, 2): where each vertex lies in the photo. */
  readonly source: Tensor;
  readonly opacity: Opacity;
}

function upload(
  device: Device,
  { photo, crop, faces, source, mask }: FlameScene,
): SharedTensors {
  const side = photo.width, pixels = side * side;
  const planes = new Float32Array(4 * pixels);
  for (let k = 0; k < 3 * pixels; k++) {
    planes[(k % 3) * pixels + Math.floor(k / 3)] = photo.data[k];
  }
  planes.set(cropBounds(crop, side), 3 * pixels);
  const count = source.length / 3;
  const places = Float32Array.from(
    { length: 2 * count },
    (_, k) => source[3 * (k >> 1) + (k & 1)],
  );
  const triangles = indices(device, faces);
  return {
    photo: device.tensor(planes, [4, side, side]),
    faces: triangles,
    source: device.tensor(places, [count, 2]),
    opacity: opacityOf(device, mask, triangles),
  };
}

/** The mask on the device. */
interface Opacity {
  /** Opacity at each pixel of a drawing: (1, S, S). */
  over(raster: Raster): Tensor;
  readonly tensors: readonly Tensor[];
}

function opacityOf(device: Device, mask: FaceMask, faces: Tensor): Opacity {
  if (mask.kind === "vertices") {
    const opacity = device.tensor(mask.opacity, [mask.opacity.length, 1]);
    return {
      over: (raster) => interpolateAttributes(opacity, raster, faces),
      tensors: [opacity],
    };
  }
  const { side, topology: { map, mapFaces } } = mask;
  const image = device.tensor(mask.opacity, [1, side, side]);
  const texels = map.map((v, k) => side * (k % 2 === 0 ? v : 1 - v));
  const places = device.tensor(texels, [texels.length / 2, 2]);
  const corners = indices(device, mapFaces);
  return {
    over: (raster) => sampleTexture(image, places, raster, corners),
    tensors: [image, places, corners],
  };
}

function indices(device: Device, words: Uint32Array): Tensor {
  const tensor = device.empty([words.length / 3, 3]);
  device.writeWords(tensor, words);
  return tensor;
}

/** Depths from the farthest vertex, 0, to the nearest, 1; of all vertices, seen or not. */
export function nearness(vertices: ArrayLike<number>): Float32Array {
  const depths = Float32Array.from(
    { length: vertices.length / 3 },
    (_, v) => vertices[3 * v + 2],
  );
  let near = Infinity, far = -Infinity;
  for (const z of depths) {
    near = Math.min(near, z);
    far = Math.max(far, z);
  }
  return depths.map((z) => far > near ? (far - z) / (far - near) : 0);
}
