/**
 * Stage B for a whole clip: the portrait with every frame's face, as the
 * optimisations want it.
 *
 * @module
 */
import {
  affine,
  type Device,
  interpolate,
  reshape,
  type Tensor,
} from "../../engine/mod.ts";
import type { AlignedPortrait } from "../face/crop.ts";
import type { FrameTarget } from "../inversion/targets.ts";
import type { Motion } from "../reenactment/motion.ts";
import { deform, type DeformOptions } from "./facemesh/deform.ts";
import { FaceRenderer, type RenderedFrame } from "./facemesh/render.ts";
import { prepareSource } from "./facemesh/source.ts";

/** The crop is edited at this multiple of the generator's size and averaged down. */
export const SUPERSAMPLING = 2;

/** Targets of a clip. */
export interface ExpressionTargets {
  /** The portrait itself, its face masked but not edited. */
  portrait: FrameTarget;
  /** One target a frame. */
  frames: FrameTarget[];
  /** (S, S): 1 where any target's face was drawn. */
  faceMask: Float32Array;
}

/**
 * Transfers every frame's expression to the portrait.
 *
 * @param aligned portrait of side {@linkcode SUPERSAMPLING} S
 * @param side S, the generator's size
 * @param onFrame called after each frame
 */
export async function expressionTargets(
  device: Device,
  aligned: AlignedPortrait,
  motion: Motion,
  side: number,
  options: DeformOptions,
  onFrame: (done: number) => void,
): Promise<ExpressionTargets> {
  using _scope = device.scope();
  const source = prepareSource(aligned);
  const renderer = new FaceRenderer(device, aligned.picture, source);
  const portrait = await readTarget(
    device,
    renderer.render(source.vertices),
    side,
  );
  // the photo is what was seen: nothing of it is a hole
  portrait.hole.fill(0);
  const frames: FrameTarget[] = [];
  for (let k = 0; k < motion.frames.length; k++) {
    frames.push(
      await readTarget(
        device,
        renderer.render(deform(source, motion, k, options)),
        side,
      ),
    );
    onFrame(k + 1);
  }
  const faceMask = new Float32Array(side * side);
  for (const { face } of [portrait, ...frames]) {
    face.forEach((v, k) => faceMask[k] = v > 0.5 ? 1 : faceMask[k]);
  }
  return { portrait, frames, faceMask };
}

async function readTarget(
  device: Device,
  frame: RenderedFrame,
  side: number,
): Promise<FrameTarget> {
  using _scope = device.scope();
  const fit = (t: Tensor) =>
    device.withoutTape(() =>
      interpolate(reshape(t, [1, ...t.shape]), [side, side], { mode: "area" })
    );
  const [edited, face, hole] = await device.read(
    affine(fit(frame.edited), 1 / 127.5, -1),
    fit(frame.faceMask),
    fit(frame.holeMask),
  );
  return { edited, face, hole };
}
