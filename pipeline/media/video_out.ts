/**
 * MP4 through ffmpeg.
 *
 * @module
 */
import { PantomimeError } from "../errors.ts";
import { ffmpegVersion, lastWords, startFfmpeg } from "./ffmpeg.ts";
import { replaceAtomic } from "./files.ts";
import { type Picture, requireOneSize } from "./picture.ts";

/**
 * H.264 in the form that every player takes: 4:2:0, so an odd row or column at the edge is left out,
 * with the colours labelled as what they are and the index in front.
 */
const ENCODING =
  "-vf crop=trunc(iw/2)*2:trunc(ih/2)*2,scale=out_color_matrix=bt709:out_range=tv " +
  "-c:v libx264 -preset medium -crf 15 -pix_fmt yuv420p " +
  "-colorspace bt709 -color_primaries bt709 -color_trc iec61966-2-1 " +
  "-movflags +faststart -f mp4";

/**
 * Writes an MP4.
 *
 * @param frames pictures of one size, at least 2 pixels each way
 * @param fps frames per second
 * @returns false when there is no ffmpeg, and nothing was written
 * @throws {PantomimeError} when ffmpeg fails, for instance because the disk is full
 */
export async function writeMp4(
  path: string,
  frames: readonly Picture[],
  fps: number,
): Promise<boolean> {
  requireOneSize(frames);
  if (await ffmpegVersion() === undefined) return false;
  await replaceAtomic(
    path,
    (temporary) => encode(temporary, path, frames, fps),
  );
  return true;
}

async function encode(
  temporary: string,
  path: string,
  frames: readonly Picture[],
  fps: number,
): Promise<void> {
  const size = `${frames[0].width}x${frames[0].height}`;
  const input = `-f rawvideo -pix_fmt rgb24 -s ${size} -r ${fps} -i pipe:0`;
  // Without -xerror ffmpeg reports success though the disk was full.
  const args = `-xerror -v error -y ${input} ${ENCODING}`.split(" ");
  args.push(`file:${temporary}`);
  const child = startFfmpeg("ffmpeg", args, { stdin: "piped" });
  if (!child) {
    throw new PantomimeError(
      `"${path}" was not written because ffmpeg has gone.`,
    );
  }
  const complaint = lastWords(child);
  await feed(child, frames);
  if ((await child.status).success) return void await complaint;
  throw failure(path, await complaint);
}

/** ffmpeg closes its end when it fails; what it then says is worth more than our broken pipe. */
async function feed(
  child: Deno.ChildProcess,
  frames: readonly Picture[],
): Promise<void> {
  const writer = child.stdin.getWriter();
  try {
    for (const { data } of frames) {
      await writer.write(
        new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      );
    }
    await writer.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

function failure(path: string, complaint: string): PantomimeError {
  if (/no space left/i.test(complaint)) {
    return new PantomimeError(
      `The disk is full, so "${path}" was not written; free some space and run again.`,
    );
  }
  return new PantomimeError(
    `"${path}" was not written because ffmpeg failed (${
      complaint || "it did not say why"
    }); ` +
      `the WebP and the GIF hold the same animation.`,
  );
}
