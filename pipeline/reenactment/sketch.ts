/**
 * A motion drawn as a face of lines, for comparisons when there is no film.
 *
 * @module
 */
import { type Cam2World, project } from "../face/camera.ts";
import { type Picture, toPicture } from "../media/picture.ts";
import { loadSharp } from "../media/sharp.ts";
import {
  EYE_LOOPS,
  FACE_OVAL,
  INNER_LIPS,
  OUTER_LIPS,
} from "../transfer/facemesh/topology.ts";
import type { FaceShape } from "./motion.ts";

const LOOPS = [FACE_OVAL, INNER_LIPS, OUTER_LIPS, ...EYE_LOOPS];

/**
 * Points and outlines of a face as a camera sees them.
 *
 * @param side pixels
 */
export async function sketch(
  face: FaceShape,
  camera: Cam2World,
  side: number,
): Promise<Picture> {
  const at = (k: number) => {
    const [x, y, z] = face.points.subarray(3 * k, 3 * k + 3);
    const [u, v] = project(camera, [x, y, z]);
    return [(u * side).toFixed(1), (v * side).toFixed(1)];
  };
  const dots = Array.from({ length: face.points.length / 3 }, (_, k) => {
    const [x, y] = at(k);
    return `<circle cx="${x}" cy="${y}" r="${side / 320}"/>`;
  });
  const loops = LOOPS.map((loop) =>
    `<polygon points="${loop.map((k) => at(k).join()).join(" ")}"/>`
  );
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}">` +
    `<rect width="100%" height="100%" fill="#15181d"/>` +
    `<g fill="#5b6b7f">${dots.join("")}</g>` +
    `<g fill="none" stroke="#e8eef5" stroke-width="${
      side / 160
    }" stroke-linejoin="round">${loops.join("")}</g></svg>`;
  const sharp = await loadSharp();
  return await toPicture(sharp(new TextEncoder().encode(svg)));
}
