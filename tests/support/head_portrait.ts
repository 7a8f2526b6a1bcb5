/**
 * The bundled portrait as the published stage B sees it with the head of
 * `head_mesh.ts`.
 *
 * @module
 */
import type { Picture } from "../../pipeline/media/picture.ts";
import type { FlameExpression } from "../../pipeline/transfer/deca/codes.ts";
import { decaCrop } from "../../pipeline/transfer/deca/crop.ts";
import type { DecaSource } from "../../pipeline/transfer/deca/frames.ts";
import { astronaut } from "./geometry.ts";
import { fitCodes } from "./head_fit.ts";
import { headModel } from "./head_mesh.ts";

/** Pixels of the portrait's side. */
export const SIDE = 192;

/** The bundled portrait with the codes of its face. */
export async function portraitSource(): Promise<DecaSource> {
  const { portrait } = await astronaut(SIDE);
  return {
    photo: portrait.picture,
    crop: decaCrop(portrait.landmarks),
    codes: fitCodes(headModel(), portrait.landmarks),
  };
}

/** An expression from a few of its components, and how far the jaw is open. */
export function expression(
  components: Readonly<Record<number, number>>,
  jaw = 0,
): FlameExpression {
  const exp = new Float32Array(50);
  for (const [k, v] of Object.entries(components)) exp[Number(k)] = v;
  return { exp, jaw: Float32Array.of(jaw, 0, 0) };
}

/** Peak signal-to-noise ratio in dB where `counts`. */
export function psnr(
  a: Picture,
  b: Picture,
  counts: (pixel: number) => boolean = () => true,
): number {
  let sum = 0, count = 0;
  for (let k = 0; k < a.data.length; k++) {
    if (!counts(Math.floor(k / 3))) continue;
    sum += (a.data[k] - b.data[k]) ** 2;
    count++;
  }
  return 10 * Math.log10(255 ** 2 * count / sum);
}
