/** What tests of pictures and animations share. */
import { assert, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { PantomimeError } from "../../pipeline/errors.ts";
import {
  type Driving,
  type DrivingFrames,
  openDriving,
} from "../../pipeline/media/driving.ts";
import { ffmpegVersion } from "../../pipeline/media/ffmpeg.ts";
import type { Picture } from "../../pipeline/media/picture.ts";

/** Whether videos cannot be tried here. */
export const noFfmpeg: boolean = await ffmpegVersion() === undefined;

/** A folder for one test, removed with it. */
export function scratch(): AsyncDisposable & {
  path: string;
  file(name: string): string;
} {
  const path = Deno.makeTempDirSync({ prefix: "pantomime-" });
  return {
    path,
    file: (name) => join(path, name),
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

export function plain(
  width: number,
  height: number,
  ...colour: number[]
): Picture {
  const data = new Uint8Array(width * height * 3);
  for (let at = 0; at < data.length; at++) data[at] = colour[at % 3];
  return { width, height, data };
}

/** Frames of one colour each, told apart by their red: 0, 20, 40 ... */
export function clip(count: number, width = 16, height = 12): Picture[] {
  return Array.from(
    { length: count },
    (_, index) => plain(width, height, index * 20, 100, 50),
  );
}

export async function openFrames(
  ...args: Parameters<typeof openDriving>
): Promise<DrivingFrames & { pictures: Picture[] }> {
  const driving = inFrames(await openDriving(...args));
  return { ...driving, pictures: await Array.fromAsync(driving.frames) };
}

export function inFrames(driving: Driving): DrivingFrames {
  if (driving.kind === "frames") return driving;
  throw new Error(`${driving.path} was taken for a motion file`);
}

/** Which frame of a {@linkcode clip} a picture is. */
export function shown(picture: Picture): number {
  return Math.round(picture.data[0] / 20);
}

export async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name)
    .sort();
}

export async function sentenceOf(
  doing: () => Promise<unknown>,
): Promise<string> {
  const { message } = await assertRejects(doing, PantomimeError);
  assert(/^[A-Z"].*\.$/.test(message), `not a sentence: ${message}`);
  assert(!message.includes("\n"), `more than one line: ${message}`);
  return message;
}
