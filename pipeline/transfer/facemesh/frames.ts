/**
 * Stage B with FaceMesh as frames that can be kept: picture, mask and depth of each.
 *
 * @module
 */
import {
  type Device,
  interpolateAttributes,
  rasterise,
} from "../../../engine/mod.ts";
import { POINTS } from "../../face/canonical.ts";
import type { AlignedPortrait } from "../../face/crop.ts";
import type { Motion } from "../../reenactment/motion.ts";
import type { Transfer, TransferredFrame } from "../transferred.ts";
import { deform, type DeformOptions } from "./deform.ts";
import { FaceRenderer } from "./render.ts";
import { prepareSource, type SourceMesh } from "./source.ts";

/**
 * The frames of a motion on a portrait.
 *
 * @param name what the portrait is called in names of files
 * @param aligned portrait of the size that the frames shall have
 */
export function faceMeshTransfer(
  device: Device,
  name: string,
  aligned: AlignedPortrait,
  motion: Motion,
  options: DeformOptions,
): Transfer {
  const side = aligned.picture.width;
  return {
    name,
    side,
    numbers: motion.frames.map((_, k) => k),
    async *frames() {
      const source = prepareSource(aligned);
      using renderer = new FaceRenderer(device, aligned.picture, source);
      for (let k = 0; k < motion.frames.length; k++) {
        const vertices = deform(source, motion, k, options);
        yield await drawn(device, renderer, source, vertices, k, side);
      }
    },
  };
}

async function drawn(
  device: Device,
  renderer: FaceRenderer,
  source: SourceMesh,
  vertices: Float32Array,
  number: number,
  side: number,
): Promise<TransferredFrame> {
  const { edited, faceMask, holeMask } = await renderer.frame(vertices);
  return {
    number,
    rendered: edited,
    mask: Uint8Array.from(
      faceMask,
      (v, k) => Math.round(255 * v * (1 - holeMask[k])),
    ),
    depth: await nearness(device, source, vertices, side),
  };
}

/**
 * Nearness of the face as method 3.6 draws it: 255 at the nearest of its points, 0 at the farthest
 * and where no face is.
 */
async function nearness(
  device: Device,
  { topology, mask }: SourceMesh,
  vertices: Float32Array,
  side: number,
): Promise<Uint8Array> {
  const depths = Array.from({ length: POINTS }, (_, i) => vertices[3 * i + 2]);
  const near = Math.min(...depths), far = Math.max(...depths);
  const values = mask.map((opacity, i) =>
    opacity > 0 ? 255 * (far - vertices[3 * i + 2]) / (far - near) : 0
  );
  using _scope = device.scope();
  const triangles = device.empty([topology.kinds.length, 3]);
  device.writeWords(triangles, topology.triangles);
  const raster = rasterise(
    device.tensor(vertices, [vertices.length / 3, 3]),
    triangles,
    { height: side, width: side },
  );
  const drawn = interpolateAttributes(
    device.tensor(values, [values.length, 1]),
    raster,
    triangles,
  );
  return Uint8Array.from(
    await drawn.data(),
    (v) => Math.min(255, Math.max(0, Math.round(v))),
  );
}
