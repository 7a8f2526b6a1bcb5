/**
 * Stage B as published: each target's expression and jaw on the source's FLAME
 * head, drawn over the source's photo with the photo's own face (method,
 * section 3). Head pose is not transferred here: stage E turns the camera.
 *
 * @module
 */
import { affine, concat, type Device, reshape } from "../../../engine/mod.ts";
import type { AlignedPortrait } from "../../face/crop.ts";
import type { Picture } from "../../media/picture.ts";
import type { Transfer, TransferredFrame } from "../transferred.ts";
import {
  type DecaCodes,
  encodeFace,
  type FlameExpression,
  transferExpression,
} from "./codes.ts";
import { type DecaCrop, decaCrop, projectToPicture } from "./crop.ts";
import { type Flame, fullPose } from "./flame.ts";
import { eyeVertices, freeze } from "./freeze.ts";
import type { DecaModel } from "./model.ts";
import { FlameRenderer } from "./render.ts";

/** A portrait as DECA sees it. */
export interface DecaSource {
  /** The photo, square. */
  readonly photo: Picture;
  /** Where DECA looked. */
  readonly crop: DecaCrop;
  /** What it saw. */
  readonly codes: DecaCodes;
}

/** Looks at a portrait. */
export async function decaSource(
  device: Device,
  { encoder }: DecaModel,
  { picture, landmarks }: AlignedPortrait,
): Promise<DecaSource> {
  return {
    photo: picture,
    crop: decaCrop(landmarks),
    codes: await encodeFace(device, encoder, picture, landmarks),
  };
}

/** How the expressions are carried over. */
export interface DecaTransferOptions {
  /** What the portrait is called in names of files. */
  readonly name: string;
  /** Whether the eyes stay the source's, as published, or move with the expression. */
  readonly eyes: "follow" | "keep";
}

/** The frames of expressions on a portrait, of the photo's size. */
export function decaTransfer(
  device: Device,
  model: DecaModel,
  source: DecaSource,
  expressions: readonly FlameExpression[],
  { name, eyes }: DecaTransferOptions,
): Transfer {
  const { photo, crop, codes } = source;
  const frozen = eyes === "keep" ? eyeVertices(model.template) : [];
  const project = (head: Float32Array) =>
    projectToPicture(head, codes.cam, crop);
  return {
    name,
    side: photo.width,
    numbers: expressions.map((_, k) => k),
    async *frames() {
      const still = await headOf(device, model.flame, codes);
      using renderer = new FlameRenderer(device, {
        photo,
        crop,
        faces: model.faces,
        source: project(still),
        mask: model.mask,
      });
      for (const [number, expression] of expressions.entries()) {
        const moved = transferExpression(codes, expression);
        const head = await headOf(device, model.flame, moved);
        freeze(head, still, frozen);
        yield await drawn(device, renderer, project(head), number, photo.width);
      }
    },
  };
}

/** Vertices of a head: (V, 3) in metres, in the source's pose. */
export async function headOf(
  device: Device,
  flame: Flame,
  { shape, exp, pose }: DecaCodes,
): Promise<Float32Array> {
  using _scope = device.scope();
  const row = (data: Float32Array) => device.tensor(data, [1, data.length]);
  return await device.withoutTape(() =>
    flame.vertices(
      concat([row(shape), row(exp)], 1),
      fullPose(row(pose)),
    )
  ).data();
}

async function drawn(
  device: Device,
  renderer: FlameRenderer,
  vertices: Float32Array,
  number: number,
  side: number,
): Promise<TransferredFrame> {
  using _scope = device.scope();
  const { rendered, mask, depth } = renderer.draw(vertices);
  const [colours, opacity, near] = await device.read(
    rendered,
    reshape(affine(mask, 255), [side, side]),
    reshape(affine(depth, 255), [side, side]),
  );
  const pixels = side * side;
  // conversion to bytes rounds and clamps
  const data = new Uint8ClampedArray(3 * pixels);
  for (let k = 0; k < 3 * pixels; k++) {
    data[k] = colours[(k % 3) * pixels + Math.floor(k / 3)];
  }
  return {
    number,
    rendered: { width: side, height: side, data },
    mask: bytes(opacity),
    depth: bytes(near),
  };
}

/** Rounded and clamped. */
function bytes(values: Float32Array): Uint8Array {
  return new Uint8Array(Uint8ClampedArray.from(values).buffer);
}
