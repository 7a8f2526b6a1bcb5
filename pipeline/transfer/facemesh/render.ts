/**
 * Stage B on the GPU: the portrait's texture on the deformed mesh, drawn over the portrait (method
 * 3.5). `reference.ts` says the same in float64.
 *
 * @module
 */
import {
  add,
  affine,
  type Device,
  flatAttributes,
  interpolateAttributes,
  multiply,
  rasterise,
  reshape,
  sampleTexture,
  slice,
  subtract,
  type Tensor,
} from "../../../engine/mod.ts";
import type { Picture } from "../../media/picture.ts";
import { CAVITY_COLOUR, type TransferFrame } from "./reference.ts";
import type { SourceMesh } from "./source.ts";
import { TriangleKind } from "./topology.ts";

/** One frame of stage B on the device. */
export interface RenderedFrame {
  /** (3, S, S), 0 to 255: the portrait with the deformed face drawn over it. */
  edited: Tensor;
  /** (1, S, S): opacity of the face, 0 to 1, soft at its rim. */
  faceMask: Tensor;
  /** (1, S, S): 1 where the mouth opened and the portrait has nothing to show, else 0. */
  holeMask: Tensor;
}

/** Draws the frames of one portrait; owns what all of them share. */
export class FaceRenderer {
  readonly #device: Device;
  readonly #size: number;
  /** (3, S, S), 0 to 255. */
  readonly #portrait: Tensor;
  readonly #triangles: Tensor;
  /** (V, 2), in pixels of the portrait. */
  readonly #uv: Tensor;
  /** (V, 1): opacity of the face mask. */
  readonly #mask: Tensor;
  /** (T, 2): 1 for every triangle; 1 for those of the cavity. */
  readonly #kinds: Tensor;
  readonly #cavity: Tensor;

  /**
   * @param portrait the aligned crop, square
   * @param source its mesh
   */
  constructor(device: Device, portrait: Picture, source: SourceMesh) {
    const size = portrait.width, { triangles, kinds } = source.topology;
    this.#device = device;
    this.#size = size;
    const make = (data: ArrayLike<number>, shape: number[]) =>
      device.unscoped(() => device.tensor(data, shape));
    this.#portrait = make(planar(portrait), [3, size, size]);
    this.#triangles = device.unscoped(() => device.empty([kinds.length, 3]));
    device.writeWords(this.#triangles, triangles);
    this.#uv = make(source.uv.map((v) => v * size), [source.uv.length / 2, 2]);
    this.#mask = make(source.mask, [source.mask.length, 1]);
    this.#kinds = make(
      [...kinds].flatMap((kind) => [1, kind === TriangleKind.cavity ? 1 : 0]),
      [kinds.length, 2],
    );
    this.#cavity = make(CAVITY_COLOUR, [3, 1, 1]);
  }

  /**
   * Draws one frame without waiting for it.
   *
   * @param vertices 549 x (x, y, depth) in pixels of the crop
   */
  render(vertices: ArrayLike<number>): RenderedFrame {
    const device = this.#device, size = this.#size;
    using scope = device.scope();
    return device.withoutTape(() => {
      const raster = rasterise(
        device.tensor(vertices, [vertices.length / 3, 3]),
        this.#triangles,
        { height: size, width: size },
      );
      const faceMask = interpolateAttributes(
        this.#mask,
        raster,
        this.#triangles,
      );
      const flags = flatAttributes(this.#kinds, raster);
      const covered = slice(flags, [0, 0, 0], [1, size, size]);
      const holeMask = slice(flags, [1, 0, 0], [1, size, size]);
      const texture = sampleTexture(
        this.#portrait,
        this.#uv,
        raster,
        this.#triangles,
      );
      const around = multiply(this.#portrait, affine(covered, -1, 1));
      const face = multiply(texture, subtract(covered, holeMask));
      const mouth = multiply(this.#cavity, holeMask);
      const edited = add(add(around, face), mouth);
      scope.keep([edited, faceMask, holeMask]);
      return { edited, faceMask, holeMask };
    });
  }

  /** Draws one frame and reads it back. */
  async frame(vertices: ArrayLike<number>): Promise<TransferFrame> {
    using _scope = this.#device.scope();
    const size = this.#size,
      { edited, faceMask, holeMask } = this.render(vertices);
    const [colours, face, hole] = await this.#device.read(
      edited,
      reshape(faceMask, [size, size]),
      reshape(holeMask, [size, size]),
    );
    return {
      edited: { width: size, height: size, data: interleaved(colours) },
      faceMask: face,
      holeMask: hole,
    };
  }

  /** Frees what the frames share. */
  [Symbol.dispose](): void {
    const shared = [
      this.#portrait,
      this.#triangles,
      this.#uv,
      this.#mask,
      this.#kinds,
      this.#cavity,
    ];
    for (const t of shared) t.release();
  }
}

/** Red, green and blue one after the other. */
function planar({ width, height, data }: Picture): Float32Array {
  const pixels = width * height;
  return Float32Array.from(
    { length: 3 * pixels },
    (_, k) => data[3 * (k % pixels) + Math.floor(k / pixels)],
  );
}

/** Red, green and blue of each pixel, rounded. */
function interleaved(planes: Float32Array): Uint8ClampedArray {
  const pixels = planes.length / 3;
  return Uint8ClampedArray.from(
    planes,
    (_, k) => planes[(k % 3) * pixels + Math.floor(k / 3)],
  );
}
