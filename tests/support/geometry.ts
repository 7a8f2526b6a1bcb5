/** Measured landmarks, portraits and motions for the tests of geometry. */
import { assertAlmostEquals, assertEquals } from "@std/assert";
import {
  type AlignedPortrait,
  alignPortrait,
} from "../../pipeline/face/crop.ts";
import { type Picture, readPicture } from "../../pipeline/media/picture.ts";
import {
  type Motion,
  recordMotion,
} from "../../pipeline/reenactment/motion.ts";
import {
  prepareSource,
  type SourceMesh,
} from "../../pipeline/transfer/facemesh/source.ts";

/** A render with FaceMesh's points, in `renders.unit` pixels, and the truth. */
export interface Rendered {
  readonly file: string;
  readonly cam2world: number[];
  readonly opening: number;
  readonly points: number[];
}

/** Heads 20 to 29, on which the canonical mesh was not measured. */
export const renders = read("landmarks_renders.json") as {
  readonly size: number;
  readonly unit: number;
  readonly pictures: readonly Rendered[];
};

/** Hair hangs over half the face: FaceMesh guesses. */
const COVERED = ["head22_1.png", "head26_2.png"];

/** Those whose face can be seen. */
export const uncovered: readonly Rendered[] = renders.pictures.filter((
  { file },
) => !COVERED.includes(file));

function read(name: string): unknown {
  return JSON.parse(
    Deno.readTextFileSync(new URL(`../data/${name}`, import.meta.url)),
  );
}

/** Stored landmarks in pixels. */
export function pixels(points: readonly number[], unit: number): Float64Array {
  return Float64Array.from(points, (value) => value * unit);
}

/** The arithmetic mean. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Pearson's correlation. */
export function correlation(
  a: readonly number[],
  b: readonly number[],
): number {
  const [ma, mb] = [mean(a), mean(b)];
  const cov = mean(a.map((value, i) => (value - ma) * (b[i] - mb)));
  return cov /
    Math.sqrt(
      mean(a.map((v) => (v - ma) ** 2)) * mean(b.map((v) => (v - mb) ** 2)),
    );
}

/** Makes sure that two lists agree number by number. */
export function assertNear(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
): void {
  assertEquals(actual.length, expected.length);
  Array.from(
    actual,
    (value, i) => assertAlmostEquals(value, expected[i], tolerance),
  );
}

/** A performance at rest, smiling, blinking, at rest again. */
export function smilingMotion(): Motion {
  const clip = read("landmarks_clip.json") as {
    unit: number;
    fps: number;
    frames: number[][];
  };
  return recordMotion(
    clip.frames.map((points) => pixels(points, clip.unit)),
    clip.fps,
  );
}

/** Frame of {@link smilingMotion} with the widest smile. */
export const SMILE = 8;
/** Frame of {@link smilingMotion} with shut eyes. */
export const BLINK = 12;

/** The bundled portrait, aligned to `size` pixels and as a mesh. */
export async function astronaut(size: number): Promise<
  { picture: Picture; portrait: AlignedPortrait; source: SourceMesh }
> {
  const { points, unit } = read("landmarks_astronaut.json") as {
    points: number[];
    unit: number;
  };
  const url = new URL("../../pipeline/assets/astronaut.png", import.meta.url);
  const picture = await readPicture(url.pathname);
  const portrait = alignPortrait(picture, pixels(points, unit), size);
  return { picture, portrait, source: prepareSource(portrait) };
}
