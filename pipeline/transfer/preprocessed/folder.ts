/**
 * The folder that the published preprocessing writes (method 3.6): four pictures a frame, told apart
 * by their names.
 *
 * ```
 * adam_000_depth.jpg                    nearness of the face; nobody needs it
 * adam_000_mask.jpg                     opacity of the face, 0 where the mouth opened
 * adam_000_masked_rendered_images.jpg   the face alone on black
 * adam_000_rendered_images.jpg          the photo with the face drawn over it
 * ```
 *
 * In this order they are what the published inversion takes for one frame: it sorts all pictures of
 * the folder and counts in fours, so no other picture may lie there.
 *
 * @module
 */
import { join } from "@std/path";
import { PantomimeError } from "../../errors.ts";
import { explainFileError } from "../../media/files.ts";

/** What a picture of a frame shows, as its name has it. */
export type FramePart =
  | "depth"
  | "mask"
  | "masked_rendered_images"
  | "rendered_images";

/** Names of those pictures. */
export const FRAME_NAME: RegExp =
  /^(.+)_(\d{3,})_(depth|mask|masked_rendered_images|rendered_images)\.(?:jpe?g|png)$/i;

/** The files of one frame; the face alone follows from the other two. */
export interface FrameFiles {
  /** The frame's number, counted from 0; some may be missing between two. */
  readonly number: number;
  /** The photo with the frame's face. */
  readonly rendered: string;
  /** Opacity of the face. */
  readonly mask: string;
  /** Nearness of the face, if it was kept. */
  readonly depth: string | null;
}

/** What a folder holds. */
export interface FrameFolder {
  /** What the photo was called. */
  readonly name: string;
  /** Its frames in the order of their numbers, at least one. */
  readonly frames: readonly FrameFiles[];
}

/** How a picture of a frame is called. */
export function frameFile(
  name: string,
  number: number,
  part: FramePart,
  extension: string,
): string {
  return `${name}_${String(number).padStart(3, "0")}_${part}.${extension}`;
}

/**
 * Looks through a folder.
 *
 * @throws {PantomimeError} when it cannot be read, holds no frame, frames of two photos, a picture
 * twice, or a mask or picture without the other
 */
export async function listFrames(path: string): Promise<FrameFolder> {
  const pictures = (await namesIn(path)).flatMap((file) => {
    const match = FRAME_NAME.exec(file);
    if (!match) return [];
    const part = match[3].toLowerCase() as FramePart;
    return [{ file, name: match[1], number: Number(match[2]), part }];
  });
  const [name, other] = new Set(pictures.map(({ name }) => name));
  if (name === undefined) {
    throw new PantomimeError(
      `"${path}" holds no frames of the preprocessing; give a folder with files such as NAME_000_rendered_images.jpg and NAME_000_mask.jpg.`,
    );
  }
  if (other !== undefined) {
    throw new PantomimeError(
      `"${path}" holds frames of "${name}" and of "${other}"; leave those of one photo there.`,
    );
  }
  const frames = new Map<number, Map<FramePart, string>>();
  for (const { file, number, part } of pictures) {
    const parts = frames.get(number) ?? new Map<FramePart, string>();
    const before = parts.get(part);
    if (before !== undefined) {
      throw new PantomimeError(
        `"${path}" holds both "${before}" and "${file}"; leave one of them there.`,
      );
    }
    frames.set(number, parts.set(part, file));
  }
  const ordered = [...frames].sort(([a], [b]) => a - b);
  return {
    name,
    frames: ordered.map(([number, parts]) => filesOf(path, number, parts)),
  };
}

function filesOf(
  path: string,
  number: number,
  parts: ReadonlyMap<FramePart, string>,
): FrameFiles {
  const rendered = parts.get("rendered_images"), mask = parts.get("mask");
  const depth = parts.get("depth");
  if (rendered === undefined || mask === undefined) {
    const [there] = parts.values();
    const missing = rendered === undefined ? "rendered_images" : "mask";
    throw new PantomimeError(
      `"${there}" in "${path}" has no ..._${missing} beside it; run the preprocessing of that frame again.`,
    );
  }
  return {
    number,
    rendered: join(path, rendered),
    mask: join(path, mask),
    depth: depth === undefined ? null : join(path, depth),
  };
}

async function namesIn(path: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(path));
    return entries.filter((entry) => !entry.isDirectory)
      .map(({ name }) => name).sort();
  } catch (error) {
    throw explainFileError(error, path, "read");
  }
}
