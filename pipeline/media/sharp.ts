/**
 * The image library, loaded when a picture is first touched: whoever embeds only the engine needs
 * neither it nor the permission for foreign functions that it asks for.
 *
 * @module
 */
import type sharpLibrary from "sharp";
import { PantomimeError } from "../errors.ts";

/** The function that `npm:sharp` exports. */
export type Sharp = typeof sharpLibrary;

let loaded: Promise<Sharp> | undefined;

/**
 * Loads sharp once.
 *
 * @throws {PantomimeError} when it is not installed, not allowed or not built for this machine
 */
export function loadSharp(): Promise<Sharp> {
  return loaded ??= load();
}

async function load(): Promise<Sharp> {
  try {
    const sharp = (await import("sharp")).default;
    // Frames pass through once: libvips' cache of operations would only hold their memory.
    sharp.cache(false);
    return sharp;
  } catch (error) {
    const advice = error instanceof Deno.errors.NotCapable
      ? `start through ./run or "deno task", or add --allow-ffi --allow-env --allow-read`
      : `run "deno install" in Pantomime's folder and see whether it reports an error for sharp`;
    throw new PantomimeError(
      `The image library sharp could not be loaded; ${advice}.`,
      {
        cause: error,
      },
    );
  }
}
