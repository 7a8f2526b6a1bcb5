/**
 * Coloured meshes and their files.
 *
 * @module
 */
import { extname } from "@std/path";
import type { SurfaceMesh } from "../../engine/mod.ts";
import { UsageError } from "../errors.ts";
import { writeFileAtomic } from "./files.ts";
import { encodeGlb } from "./glb.ts";
import { encodePly } from "./ply.ts";

/** A mesh with a colour for each vertex. */
export interface ColouredMesh extends SurfaceMesh {
  /** Red, green and blue of each vertex, sRGB in [0, 1]. */
  colours: Float32Array;
}

const ENCODERS: Record<string, (mesh: ColouredMesh) => Uint8Array> = {
  ".ply": encodePly,
  ".glb": encodeGlb,
};

/**
 * The format that a mesh file is written in, by its extension.
 *
 * @throws {UsageError} when that is neither .ply nor .glb
 */
export function meshEncoder(
  path: string,
): (mesh: ColouredMesh) => Uint8Array {
  const encoder = ENCODERS[extname(path).toLowerCase()];
  if (encoder) return encoder;
  throw new UsageError(
    `"${path}" is no name for a mesh; let it end in .ply or .glb.`,
  );
}

/**
 * Writes a mesh as PLY or glTF, whole or not at all.
 *
 * @throws {UsageError} when the name ends in neither .ply nor .glb
 * @throws {PantomimeError} when the disk is full or the place cannot be written to
 */
export async function writeMesh(
  path: string,
  mesh: ColouredMesh,
): Promise<void> {
  await writeFileAtomic(path, meshEncoder(path)(mesh));
}
