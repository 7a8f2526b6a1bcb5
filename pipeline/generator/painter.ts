/**
 * Pictures of heads whose planes are there already, in half precision where
 * that was published and holds.
 *
 * @module
 */
import type { Device, Tensor } from "../../engine/mod.ts";
import { view } from "./generator.ts";
import type { RenderOptions } from "./renderer/renderer.ts";
import type { Generator } from "./state.ts";
import type { Precision } from "./superresolution.ts";

/** Arithmetic of the superresolution module: as asked for, or what suits generator and device. */
export type PrecisionWish = Precision | "auto";

/** What {@linkcode Painter.paint} gives. */
export interface Painting {
  /** (3, S, S) in about [-1, 1]. */
  image: Float32Array;
  /** (R, R) distances along the rays. */
  depth: Float32Array;
}

/**
 * Draws one picture after the other. Half precision that overflows is noticed:
 * the picture is drawn again in single precision, and all that follow are.
 */
export class Painter {
  readonly #generator: Generator;
  readonly #announce: (line: string) => void;
  readonly #seconds: number[] = [];
  #precision: Precision;

  /**
   * Decides the arithmetic.
   *
   * @param wish `auto` is half precision where the generator was published in
   * it and the device is a GPU that has it
   * @param announce is told, in a sentence, when half precision has failed
   */
  constructor(
    generator: Generator,
    wish: PrecisionWish,
    announce: (line: string) => void,
  ) {
    this.#generator = generator;
    this.#announce = announce;
    this.#precision = wish === "auto" ? suited(generator) : wish;
  }

  /** Arithmetic of the next picture. */
  get precision(): Precision {
    return this.#precision;
  }

  /** Median over the pictures; NaN before the first. */
  get secondsPerPicture(): number {
    return this.#seconds.toSorted((a, b) => a - b)[this.#seconds.length >> 1] ??
      NaN;
  }

  /**
   * One picture, read back.
   *
   * @param planes (1, 3, C, H, W)
   * @param ws (1, w_dim) or (1, num_ws, w_dim)
   * @param label (25) camera
   * @param options of the volume renderer
   */
  async paint(
    planes: Tensor,
    ws: Tensor,
    label: Float32Array,
    options: RenderOptions = {},
  ): Promise<Painting> {
    const began = performance.now();
    let painting = await this.#once(planes, ws, label, options);
    if (this.#precision === "f16" && !painting.image.every(Number.isFinite)) {
      this.#precision = "f32";
      this.#announce(
        "Half precision gave numbers that are not finite; going on in single precision.",
      );
      painting = await this.#once(planes, ws, label, options);
    }
    this.#seconds.push((performance.now() - began) / 1000);
    return painting;
  }

  async #once(
    planes: Tensor,
    ws: Tensor,
    label: Float32Array,
    options: RenderOptions,
  ): Promise<Painting> {
    const { device } = planes;
    using _scope = device.scope();
    const seen = device.withoutTape(() =>
      view(this.#generator, planes, ws, device.tensor(label, [1, 25]), {
        ...options,
        precision: this.#precision,
      })
    );
    const [image, depth] = await device.read(seen.image, seen.depth);
    return { image, depth };
  }
}

function suited({ config, state }: Generator): Precision {
  const device: Device = state.values().next().value!.device;
  const able = device.profile === "gpu" &&
    device.gpu.features.has("shader-f16");
  return config.superresolution.f16 && able ? "f16" : "f32";
}
