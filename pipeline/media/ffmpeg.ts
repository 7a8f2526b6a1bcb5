/**
 * ffmpeg as a child process. It is optional: everything but videos works without it.
 *
 * @module
 */
import { PantomimeError } from "../errors.ts";

/** The two programs of an ffmpeg installation that are used. */
export type FfmpegProgram = "ffmpeg" | "ffprobe";

/** How to get ffmpeg, as the end of a sentence. */
export const FFMPEG_ADVICE =
  'install it ("apt install ffmpeg", "brew install ffmpeg" or "winget install ffmpeg")';

/** Starts a program; undefined when it is not installed or Deno was not allowed to start it. */
export function startFfmpeg(
  program: FfmpegProgram,
  args: string[],
  pipes: { stdin?: "piped" | "null"; stdout?: "piped" | "null" } = {},
): Deno.ChildProcess | undefined {
  const { stdin = "null", stdout = "null" } = pipes;
  try {
    return new Deno.Command(program, { args, stdin, stdout, stderr: "piped" })
      .spawn();
  } catch (error) {
    const absent = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotCapable ||
      error instanceof Deno.errors.PermissionDenied;
    if (absent) return undefined;
    throw error;
  }
}

/** The version of ffmpeg on this machine; undefined when there is none. */
export async function ffmpegVersion(
  program: FfmpegProgram = "ffmpeg",
): Promise<string | undefined> {
  const child = startFfmpeg(program, ["-version"], { stdout: "piped" });
  if (!child) return undefined;
  const { stdout } = await child.output();
  return new TextDecoder().decode(stdout).match(/version (\S+)/)?.[1] ??
    "unknown version";
}

/** Collects what a child says on standard error, at most the last few kilobytes, as one line. */
export async function lastWords(child: Deno.ChildProcess): Promise<string> {
  let text = "";
  for await (const part of child.stderr.pipeThrough(new TextDecoderStream())) {
    text = (text + part).slice(-4096);
  }
  return text.trim().split("\n").at(-1)?.replace(/[.\s]+$/, "") ?? "";
}

/** The sentence for a video without ffmpeg. */
export function ffmpegMissing(path: string): PantomimeError {
  return new PantomimeError(
    `"${path}" is a video, which needs ffmpeg, and ffmpeg was not found: ${FFMPEG_ADVICE}, ` +
      `or give a folder of pictures, a GIF or a WebP.`,
  );
}
