/**
 * Meshes as PLY, the Stanford polygon format, binary and little-endian.
 *
 * @module
 */
import type { ColouredMesh } from "./mesh.ts";

/** Six f32 and three bytes of colour. */
const VERTEX_BYTES = 27;
/** How many corners, and three i32. */
const FACE_BYTES = 13;

/**
 * A PLY file: `x y z nx ny nz red green blue` of each vertex, `vertex_indices`
 * of each face. Colours are sRGB bytes.
 */
export function encodePly(mesh: ColouredMesh): Uint8Array<ArrayBuffer> {
  const vertices = mesh.positions.length / 3;
  const faces = mesh.triangles.length / 3;
  const header = new TextEncoder().encode(headerOf(vertices, faces));
  const bytes = new Uint8Array(
    header.length + VERTEX_BYTES * vertices + FACE_BYTES * faces,
  );
  bytes.set(header);
  const view = new DataView(bytes.buffer);
  let at = header.length;
  for (let v = 0; v < vertices; v++, at += VERTEX_BYTES) {
    for (let k = 0; k < 3; k++) {
      view.setFloat32(at + 4 * k, mesh.positions[3 * v + k], true);
      view.setFloat32(at + 12 + 4 * k, mesh.normals[3 * v + k], true);
      bytes[at + 24 + k] = byteOf(mesh.colours[3 * v + k]);
    }
  }
  for (let f = 0; f < faces; f++, at += FACE_BYTES) {
    bytes[at] = 3;
    for (let k = 0; k < 3; k++) {
      view.setInt32(at + 1 + 4 * k, mesh.triangles[3 * f + k], true);
    }
  }
  return bytes;
}

function headerOf(vertices: number, faces: number): string {
  const floats = ["x", "y", "z", "nx", "ny", "nz"];
  const colours = ["red", "green", "blue"];
  return [
    "ply",
    "format binary_little_endian 1.0",
    "comment Pantomime",
    `element vertex ${vertices}`,
    ...floats.map((name) => `property float ${name}`),
    ...colours.map((name) => `property uchar ${name}`),
    `element face ${faces}`,
    "property list uchar int vertex_indices",
    "end_header",
    "",
  ].join("\n");
}

function byteOf(colour: number): number {
  return Math.round(255 * Math.min(Math.max(colour, 0), 1));
}
