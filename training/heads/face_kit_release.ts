/**
 * A release of ICT-FaceKit: one OBJ file of the neutral head, one of each
 * identity mode and each expression, all of the same vertices.
 *
 * @module
 */
import { readOrExplain, WeightsError } from "../../weights/mod.ts";
import type { FaceKit } from "./face_kit.ts";

const NEUTRAL = "generic_neutral_mesh";

/**
 * Reads the OBJ files of a folder, or of the `FaceXModel` in it.
 *
 * @throws {WeightsError} when a file is missing or damaged
 */
export async function readRelease(path: string): Promise<FaceKit> {
  const inner = `${path}/FaceXModel`;
  const folder = await Deno.stat(inner).then(() => inner, () => path);
  const names = await objNames(folder);
  if (!names.includes(NEUTRAL)) {
    throw new WeightsError(
      `${path} holds no ${NEUTRAL}.obj: give the folder FaceXModel of an ICT-FaceKit release.`,
    );
  }
  const text = await readObj(folder, NEUTRAL);
  const neutral = verticesOf(text);
  const isIdentity = (name: string) => /^identity\d+$/.test(name);
  const identity = names.filter(isIdentity);
  const gap = identity.findIndex((name, k) => name !== identityName(k));
  if (gap >= 0) {
    throw new WeightsError(
      `${path} holds no ${
        identityName(gap)
      }.obj, but later ones: fetch all of ICT-FaceKit.`,
    );
  }
  const expression = names.filter((n) => n !== NEUTRAL && !isIdentity(n));
  // one after another: together, their texts take half a gigabyte
  const differences = async (list: string[]) => {
    const found: Float32Array[] = [];
    for (const name of list) {
      const shape = verticesOf(await readObj(folder, name));
      found.push(shape.map((x, k) => x - neutral[k]));
    }
    return found;
  };
  return {
    neutral,
    quads: facesOf(text),
    identity: await differences(identity),
    expression: await differences(expression),
    expressionNames: expression,
  };
}

/** `identity000` and so on. */
function identityName(k: number): string {
  return `identity${String(k).padStart(3, "0")}`;
}

async function objNames(folder: string): Promise<string[]> {
  const names = await readOrExplain(
    "ICT-FaceKit",
    folder,
    async () =>
      (await Array.fromAsync(Deno.readDir(folder))).map((f) => f.name),
  );
  return names.filter((n) => n.endsWith(".obj")).map((n) => n.slice(0, -4))
    .sort();
}

async function readObj(folder: string, name: string): Promise<string> {
  const path = `${folder}/${name}.obj`;
  return await readOrExplain(
    "the shape",
    path,
    () => Deno.readTextFile(path),
  );
}

/** Positions: lines `v x y z`. */
function verticesOf(text: string): Float32Array {
  const numbers: number[] = [];
  for (const [, x, y, z] of text.matchAll(/^v +(\S+) +(\S+) +(\S+)/gm)) {
    numbers.push(Number(x), Number(y), Number(z));
  }
  return Float32Array.from(numbers);
}

/** Corners: lines `f v/vt ...` of three or four, counted from 1. */
function facesOf(text: string): Uint32Array {
  const corners: number[] = [];
  for (const [, line] of text.matchAll(/^f +(.+)$/gm)) {
    const face = line.trim().split(/\s+/).map((c) => parseInt(c) - 1);
    corners.push(...face.slice(0, 3), face[3] ?? face[2]);
  }
  return Uint32Array.from(corners);
}
