/**
 * Which vertices of a head its triangles join, and where they lie on its
 * texture map: `head_template.obj` of DECA (method, section 11.4).
 *
 * @module
 */
import { WeightsError } from "../../../weights/mod.ts";
import { readBytes } from "../../media/files.ts";

/** Triangles of a head on the head and on its texture map, in the same order. */
export interface HeadTopology {
  /** Number of vertices that the triangles are of. */
  readonly vertexCount: number;
  /** Three vertices a triangle. */
  readonly faces: Uint32Array;
  /** Places on the map, (u, v) each, 0 to 1 from the lower left corner. */
  readonly map: Float32Array;
  /** Three places a triangle. */
  readonly mapFaces: Uint32Array;
}

/**
 * Reads a Wavefront file of triangles with texture coordinates.
 *
 * @throws {PantomimeError} when it cannot be read
 * @throws {WeightsError} when it is something else
 */
export async function readTopology(path: string): Promise<HeadTopology> {
  return parseTopology(new TextDecoder().decode(await readBytes(path)), path);
}

/**
 * As {@linkcode readTopology}, from the file's content.
 *
 * @param source what to call it in messages
 * @throws {WeightsError} when it is something else
 */
export function parseTopology(text: string, source: string): HeadTopology {
  const map: number[] = [], faces: number[] = [], mapFaces: number[] = [];
  let vertexCount = 0;
  for (const line of text.split("\n")) {
    const [kind, ...words] = line.trim().split(/\s+/);
    if (kind === "v") vertexCount++;
    if (kind === "vt") map.push(Number(words[0]), Number(words[1]));
    if (kind !== "f") continue;
    const corners = words.map((word) => word.split("/"));
    if (corners.length !== 3) {
      throw new WeightsError(
        `${source} has a face of ${corners.length} corners; give DECA's head_template.obj, whose faces are triangles.`,
      );
    }
    // indices of the file count from 1
    for (const [vertex, place] of corners) {
      faces.push(Number(vertex) - 1);
      mapFaces.push(Number(place) - 1);
    }
  }
  const fits = (indices: number[], count: number) =>
    indices.every((k) => Number.isInteger(k) && k >= 0 && k < count);
  const whole = faces.length > 0 && fits(faces, vertexCount) &&
    fits(mapFaces, map.length / 2) && map.every(Number.isFinite);
  if (!whole) {
    throw new WeightsError(
      `${source} is not a mesh of triangles with a texture map (lines v, vt and f a/b); give DECA's head_template.obj.`,
    );
  }
  return {
    vertexCount,
    faces: Uint32Array.from(faces),
    map: Float32Array.from(map),
    mapFaces: Uint32Array.from(mapFaces),
  };
}
