/**
 * Targets from frames of stage B by the published masks (method 3.7): what a folder of frames says,
 * and nothing that only the maker of the frames would know.
 *
 * @module
 */
import { type Device, interpolate } from "../../engine/mod.ts";
import { PantomimeError } from "../errors.ts";
import type { FrameTarget } from "../inversion/targets.ts";
import type { Picture } from "../media/picture.ts";
import type { ExpressionTargets } from "./targets.ts";
import type { Transfer, TransferredFrame } from "./transferred.ts";

/** The two masks of a frame, 0 or 1 a pixel. */
export interface FrameMasks {
  /** F: 1 where the mask is above one half. */
  readonly face: Uint8Array;
  /** 1 - B: 1 where the mask is not F and the corner (0, 0) is not reached, the opened mouth. */
  readonly hole: Uint8Array;
}

/**
 * The face of a frame, and the holes in it. As published, the surroundings are what is filled from
 * the upper left corner, pixel by pixel across sides: a face that reaches from edge to edge would
 * cut some of them off, and they would count as holes.
 *
 * @param mask side * side bytes
 */
export function frameMasks(mask: Uint8Array, side: number): FrameMasks {
  const face = mask.map((v) => v / 255 > 0.5 ? 1 : 0);
  const hole = face.map((v) => 1 - v);
  const waiting = face[0] === 0 ? [0] : [];
  while (waiting.length > 0) {
    const k = waiting.pop()!;
    if (hole[k] === 0) continue;
    hole[k] = 0;
    if (k % side > 0) waiting.push(k - 1);
    if (k % side < side - 1) waiting.push(k + 1);
    if (k >= side) waiting.push(k - side);
    if (k < side * (side - 1)) waiting.push(k + side);
  }
  return { face, hole };
}

/**
 * What stage C aims a frame at: the rendered picture, black in the opened mouth.
 *
 * @returns picture of the frame's side
 */
export function filledFrame({ rendered, mask }: TransferredFrame): Picture {
  const { width, height } = rendered;
  const { hole } = frameMasks(mask, width);
  const data = rendered.data.map((v, k) => hole[Math.floor(k / 3)] ? 0 : v);
  return { width, height, data };
}

/**
 * Targets of a clip for a generator; pictures larger than the generator's are averaged down by area.
 *
 * @param photo the portrait that the frames were made from, of their size; the first frame's picture
 * when null
 * @param side the generator's size
 * @param onFrame called after each frame
 * @throws {PantomimeError} when the frames are smaller than the generator's pictures
 */
export async function targetsOf(
  device: Device,
  transfer: Transfer,
  photo: Picture | null,
  side: number,
  onFrame: (done: number) => void,
): Promise<ExpressionTargets> {
  if (transfer.side < side) {
    throw new PantomimeError(
      `The frames of "${transfer.name}" have ${transfer.side} pixels a side, but the generator's pictures ${side}; transfer to larger ones.`,
    );
  }
  const frames: FrameTarget[] = [];
  let portrait: FrameTarget | undefined;
  for await (const frame of transfer.frames()) {
    const masks = frameMasks(frame.mask, transfer.side);
    // the photo is what was seen: nothing of it is a hole
    portrait ??= await targetOf(device, photo ?? frame.rendered, {
      face: masks.face.map((v, k) => v | masks.hole[k]),
      hole: new Uint8Array(masks.hole.length),
    }, side);
    frames.push(await targetOf(device, frame.rendered, masks, side));
    onFrame(frames.length);
  }
  const faceMask = new Float32Array(side * side);
  for (const { face } of frames) {
    face.forEach((v, k) => faceMask[k] = v > 0.5 ? 1 : faceMask[k]);
  }
  return { portrait: portrait!, frames, faceMask };
}

/** One target; its face includes the opened mouth, as that of every {@linkcode FrameTarget}. */
async function targetOf(
  device: Device,
  picture: Picture,
  { face, hole }: FrameMasks,
  side: number,
): Promise<FrameTarget> {
  const from = picture.width, pixels = from * from;
  const planes = new Float32Array(5 * pixels);
  for (let k = 0; k < pixels; k++) {
    for (let c = 0; c < 3; c++) {
      planes[c * pixels + k] = hole[k]
        ? -1
        : picture.data[3 * k + c] / 127.5 - 1;
    }
    planes[3 * pixels + k] = face[k] | hole[k];
    planes[4 * pixels + k] = hole[k];
  }
  const fitted = from === side ? planes : await fit(device, planes, from, side);
  const plane = (k: number, count: number) =>
    fitted.slice(k * side * side, (k + count) * side * side);
  return { edited: plane(0, 3), face: plane(3, 1), hole: plane(4, 1) };
}

async function fit(
  device: Device,
  planes: Float32Array,
  from: number,
  side: number,
): Promise<Float32Array> {
  using _scope = device.scope();
  const large = device.tensor(planes, [1, 5, from, from]);
  return await device.withoutTape(() =>
    interpolate(large, [side, side], { mode: "area" })
  ).data();
}
