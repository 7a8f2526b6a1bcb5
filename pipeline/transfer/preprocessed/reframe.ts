/**
 * Frames cut anew, for a generator whose heads are of another size in the picture.
 *
 * @module
 */
import { cropPicture } from "../../face/crop.ts";
import type { Placement } from "../../face/pose.ts";
import { sampleRegion } from "../../face/region.ts";
import type { Transfer, TransferredFrame } from "../transferred.ts";

/**
 * The frames of a transfer within another square; beyond their edges the picture goes on mirrored
 * and blurred, and there is no face.
 *
 * @param placement in pixels of the frames
 */
export function reframed(transfer: Transfer, placement: Placement): Transfer {
  const { side } = transfer;
  const cut = (values: Uint8Array) => cutPlane(values, placement, side);
  return {
    ...transfer,
    async *frames(): AsyncGenerator<TransferredFrame> {
      for await (const frame of transfer.frames()) {
        yield {
          ...frame,
          rendered: cropPicture(frame.rendered, placement, side),
          mask: cut(frame.mask),
          depth: frame.depth && cut(frame.depth),
        };
      }
    },
  };
}

function cutPlane(
  values: Uint8Array,
  placement: Placement,
  side: number,
): Uint8Array {
  const data = Uint8Array.from(
    { length: 3 * values.length },
    (_, k) => values[Math.floor(k / 3)],
  );
  const picture = { width: side, height: side, data };
  const planes = sampleRegion(picture, placement, side, "black");
  return Uint8Array.from(planes.subarray(0, side * side), (v) => Math.round(v));
}
