/**
 * Stage B as published from beginning to end: it watches the performance, looks
 * at the portrait and makes the frames. Where heads and cameras turn is not its
 * business: that stays FaceMesh's (`face/pose.ts`), as the published method
 * leaves it to a network of its own and not to DECA.
 *
 * @module
 */
import type { Device } from "../../../engine/mod.ts";
import type { Progress } from "../../context.ts";
import { PantomimeError } from "../../errors.ts";
import type { AlignedPortrait } from "../../face/crop.ts";
import type { Picture } from "../../media/picture.ts";
import type { Transfer } from "../transferred.ts";
import {
  changeExpression,
  encodeFace,
  expressionOf,
  type FlameExpression,
  smoothExpressions,
} from "./codes.ts";
import {
  decaSource,
  decaTransfer,
  type DecaTransferOptions,
} from "./frames.ts";
import { type DecaFiles, type DecaModel, loadDeca } from "./model.ts";

/** Options of the published stage B. */
export interface DecaOptions extends DecaFiles {
  /** Whether expressions are averaged over five frames; the release leaves it off. */
  readonly smoothing?: boolean;
  /** Added to components of the expression, by index from 0. */
  readonly add?: Readonly<Record<number, number>>;
  /** How much further than its expression the brow moves; 2 in the release's `--scale_expressions`. */
  readonly browScale?: number;
}

/** How the frames are drawn. */
export interface DecaFrameOptions extends DecaTransferOptions {
  /** How far expressions go from the portrait's, 0, to the performance's, 1, and beyond. */
  readonly expressionScale: number;
}

/** The published stage B of one clip. */
export class DecaStage {
  readonly #device: Device;
  readonly #model: DecaModel;
  readonly #options: DecaOptions;
  readonly #seen: (FlameExpression | null)[] = [];

  /** Use {@linkcode DecaStage.open}. */
  constructor(device: Device, model: DecaModel, options: DecaOptions) {
    this.#device = device;
    this.#model = model;
    this.#options = options;
  }

  /**
   * Reads DECA and FLAME.
   *
   * @throws {WeightsError} when a file is missing, another one, or lacks what it should hold
   */
  static async open(device: Device, options: DecaOptions): Promise<DecaStage> {
    const model = await loadDeca(device, options, options.browScale);
    return new DecaStage(device, model, options);
  }

  /** Says when the face's outline is not the published one. */
  describe(progress: Progress): void {
    if (this.#model.mask.kind === "map") return;
    progress.note(
      "DECA's head_template.obj and uv_face_eye_mask.png are not here; the face's outline follows from FLAME's template.",
    );
  }

  /**
   * Takes note of the next frame of the performance.
   *
   * @param points FaceMesh's points of its face in pixels, null where there is none
   */
  async watch(picture: Picture, points: Float32Array | null): Promise<void> {
    if (points === null) return void this.#seen.push(null);
    const { encoder } = this.#model;
    const codes = await encodeFace(this.#device, encoder, picture, points);
    this.#seen.push(expressionOf(codes));
  }

  /**
   * The frames of what was watched, on a portrait, of its size.
   *
   * @throws {PantomimeError} when no face was watched
   */
  async transfer(
    aligned: AlignedPortrait,
    options: DecaFrameOptions,
  ): Promise<Transfer> {
    const source = await decaSource(this.#device, this.#model, aligned);
    return decaTransfer(
      this.#device,
      this.#model,
      source,
      this.#expressions(expressionOf(source.codes), options.expressionScale),
      options,
    );
  }

  /** Frames without a face repeat the one before, as their motion does. */
  #expressions(own: FlameExpression, scale: number): FlameExpression[] {
    const { smoothing, add = {} } = this.#options;
    let last = this.#seen.find((frame) => frame !== null);
    if (!last) {
      throw new PantomimeError(
        "DECA looks at pictures of the performance, and a motion file has none; give a folder of pictures, a GIF, a video or a picture.",
      );
    }
    const whole = this.#seen.map((frame) => last = frame ?? last!);
    const added = new Map(
      Object.entries(add).map(([k, v]) => [Number(k), v]),
    );
    return (smoothing ? smoothExpressions(whole) : whole)
      .map((frame) => changeExpression(own, frame, scale, added));
  }

  /** Frees the networks. */
  [Symbol.dispose](): void {
    this.#model.encoder[Symbol.dispose]();
    this.#model.flame[Symbol.dispose]();
  }
}
