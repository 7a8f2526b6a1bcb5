/**
 * A driving performance kept as a video, decoded by ffmpeg.
 *
 * @module
 */
import { PantomimeError } from "../errors.ts";
import type { DrivingFrames } from "./driving.ts";
import { ffmpegMissing, lastWords, startFfmpeg } from "./ffmpeg.ts";
import { PICTURE_FORMATS } from "./format.ts";
import type { Picture } from "./picture.ts";
import { readPpmStream } from "./ppm.ts";
import { type Excerpt, requireSpan } from "./timeline.ts";

/** Faster clips are thinned to this rate unless another is asked for: every frame costs minutes. */
const MAX_FPS = 30;

const VIDEO_NAME =
  /\.(mp4|m4v|mov|mkv|webm|avi|mpe?g|m?ts|m2ts|ogv|flv|wmv|3gp)$/i;

interface VideoFacts {
  readonly fps: number;
  /** Seconds; infinite when the file does not say. */
  readonly length: number;
}

/**
 * Opens a video. Its frames come upright, with square pixels, at a constant rate.
 *
 * @param certain whether the content shows that it is a video; otherwise ffmpeg has the say
 * @throws {PantomimeError} when ffmpeg is missing or finds no video in the file
 */
export async function openVideo(
  path: string,
  excerpt: Excerpt,
  side: number,
  certain: boolean,
): Promise<DrivingFrames> {
  const facts = await probe(path, certain || VIDEO_NAME.test(path));
  const fps = excerpt.fps ?? Math.min(MAX_FPS, facts.fps);
  const { start, end } = requireSpan(facts.length, excerpt, path);
  const limit = excerpt.maxFrames ?? Infinity;
  const count = Math.min(limit, Math.max(1, Math.round((end - start) * fps)));
  const args = [
    ...input(path, start, end),
    ...["-map", "0:v:0", "-vf", `fps=${fps},${scaleWithin(side)}`],
    ...(Number.isFinite(limit) ? ["-frames:v", String(limit)] : []),
    ...["-f", "image2pipe", "-c:v", "ppm", "pipe:1"],
  ];
  const frames = { [Symbol.asyncIterator]: () => decode(path, args) };
  return { kind: "frames", path, fps, count, frames };
}

/** Only local files are opened, not what a playlist may point to. */
function input(path: string, start: number, end: number): string[] {
  const local = ["-v", "error", "-nostdin", "-protocol_whitelist", "file,pipe"];
  const from = start > 0 ? ["-ss", String(start)] : [];
  const length = Number.isFinite(end) ? ["-t", String(end - start)] : [];
  return [...local, ...from, ...length, "-i", `file:${path}`];
}

/** `iw*sar` is the width in square pixels; the longer side shrinks to `side`, nothing grows. */
function scaleWithin(side: number): string {
  const factor = `min(1\\,${side}/max(iw*sar\\,ih))`;
  const width = `max(1\\,round(iw*sar*${factor}))`;
  const height = `max(1\\,round(ih*${factor}))`;
  return `scale=w='${width}':h='${height}':flags=area+accurate_rnd+full_chroma_int,setsar=1`;
}

async function probe(
  path: string,
  looksLikeVideo: boolean,
): Promise<VideoFacts> {
  const args =
    "-v error -protocol_whitelist file,pipe -select_streams v:0 -of json " +
    "-show_entries stream=avg_frame_rate,r_frame_rate,duration:format=duration";
  const child = startFfmpeg(
    "ffprobe",
    [...args.split(" "), `file:${path}`],
    { stdout: "piped" },
  );
  if (!child) throw looksLikeVideo ? ffmpegMissing(path) : unsupported(path);
  const { success, stdout, stderr } = await child.output();
  const told = JSON.parse(success ? new TextDecoder().decode(stdout) : "{}");
  const stream = told.streams?.[0];
  if (!stream) {
    throw notAVideo(path, looksLikeVideo, new TextDecoder().decode(stderr));
  }
  return {
    fps: ratio(stream.avg_frame_rate) ?? ratio(stream.r_frame_rate) ?? 25,
    length: positive(stream.duration) ?? positive(told.format?.duration) ??
      Infinity,
  };
}

function ratio(text: string | undefined): number | undefined {
  const [above, below = 1] = (text ?? "").split("/").map(Number);
  return positive(above / below);
}

function positive(value: string | number | undefined): number | undefined {
  const number = Number(value);
  return number > 0 && Number.isFinite(number) ? number : undefined;
}

function notAVideo(
  path: string,
  looksLikeVideo: boolean,
  complaint: string,
): PantomimeError {
  if (!looksLikeVideo) return unsupported(path);
  const told = complaint.trim().split("\n").at(-1)?.split(": ").at(-1);
  return new PantomimeError(
    `"${path}" is damaged or holds no video (${told || "no video stream"}); ` +
      `save or download it again.`,
  );
}

function unsupported(path: string): PantomimeError {
  return new PantomimeError(
    `"${path}" is neither a picture, a video nor a motion file; ` +
      `use ${PICTURE_FORMATS}, a video, a folder of pictures or a motion.json.`,
  );
}

async function* decode(path: string, args: string[]): AsyncGenerator<Picture> {
  const child = startFfmpeg("ffmpeg", args, { stdout: "piped" });
  if (!child) throw ffmpegMissing(path);
  const complaint = lastWords(child);
  let count = 0;
  let finished = false;
  try {
    for await (const picture of readPpmStream(child.stdout)) {
      count++;
      yield picture;
    }
    finished = true;
  } finally {
    if (!finished) stop(child);
    await Promise.all([child.status, complaint]);
  }
  const { success } = await child.status;
  if (success && count > 0) return;
  throw new PantomimeError(
    `"${path}" could not be decoded (ffmpeg: ${
      await complaint || "no frames"
    }) ` +
      `after ${count} frames; save or download it again.`,
  );
}

/** Whoever takes only the first frames leaves ffmpeg waiting for its pipe to be read. */
function stop(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It ended by itself in the meantime.
  }
}
