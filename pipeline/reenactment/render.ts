/**
 * Stage E: every frame at its camera, the face from its own w, everything
 * else from the first frame's for a steady picture (method, section 6).
 *
 * @module
 */
import type { Device, Tensor } from "../../engine/mod.ts";
import { type Cam2World, cameraLabel } from "../face/camera.ts";
import { planes } from "../generator/backbone.ts";
import { Painter, type Painting } from "../generator/painter.ts";
import type { Generator } from "../generator/state.ts";
import { composite, liftMask, projectMask } from "./composite.ts";

/** A head that can be shown: a tuned generator and what it was tuned on. */
export interface Performance {
  /** Tuned generator. */
  generator: Generator;
  /** w of every frame, (w_dim) each. */
  ws: readonly Float32Array[];
  /** Camera of the source. */
  sourceCamera: Cam2World;
  /** (S, S): 1 where any frame's face was drawn. */
  faceMask: Float32Array;
}

/** How {@linkcode renderFrames} works. */
export interface FrameOptions {
  /** Factor on the samples of a ray; the published value is 4. */
  sampleFactor: number;
  /** Draws the pictures; one in single precision when absent. */
  painter?: Painter;
  /** Called with each frame's (3, S, S) picture in about [-1, 1]. */
  onFrame(frame: number, picture: Float32Array): void | Promise<void>;
  /** Stops between frames. */
  signal?: AbortSignal;
}

/**
 * Renders frame i with camera i.
 *
 * @throws {DOMException} `AbortError` when the signal fires
 */
export async function renderFrames(
  device: Device,
  performance: Performance,
  cameras: readonly Cam2World[],
  { sampleFactor, onFrame, signal, ...options }: FrameOptions,
): Promise<void> {
  const { generator, ws, sourceCamera, faceMask } = performance;
  const painter = options.painter ?? new Painter(generator, "f32", () => {});
  const side = generator.config.img_resolution;
  using _scope = device.scope();
  const first = head(device, generator, ws[0]);
  const { depth } = await look(painter, first, sourceCamera, 1);
  const resolution = Math.sqrt(depth.length);
  const region = liftMask(faceMask, side, depth, resolution, sourceCamera);
  for (let i = 0; i < cameras.length; i++) {
    signal?.throwIfAborted();
    using _frame = device.scope();
    const background = await look(painter, first, cameras[i], sampleFactor);
    const w = ws[i % ws.length];
    if (w === ws[0]) {
      await onFrame(i, background.image);
      continue;
    }
    const face = await look(
      painter,
      head(device, generator, w),
      cameras[i],
      sampleFactor,
    );
    const mask = projectMask(region, cameras[i], side);
    await onFrame(i, composite(face.image, background.image, mask));
  }
}

interface Head {
  w: Tensor;
  planes: Tensor;
}

function head(
  device: Device,
  generator: Generator,
  values: Float32Array,
): Head {
  const w = device.tensor(values, [1, values.length]);
  return { w, planes: device.withoutTape(() => planes(generator, w)) };
}

function look(
  painter: Painter,
  { w, planes }: Head,
  camera: Cam2World,
  sampleFactor: number,
): Promise<Painting> {
  return painter.paint(planes, w, cameraLabel(camera), { sampleFactor });
}
