/**
 * Readers of the mesh files, written from the formats' descriptions and not
 * from the writers.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";

/** A PLY file: a table for each element. */
export interface PlyFile {
  /** Values of each property of the vertices. */
  vertex: Record<string, number[]>;
  /** Corners of each face. */
  faces: number[][];
  /** Bytes behind the last element. */
  rest: number;
}

const READERS: Record<
  string,
  [number, (view: DataView, at: number) => number]
> = {
  float: [4, (view, at) => view.getFloat32(at, true)],
  uchar: [1, (view, at) => view.getUint8(at)],
  int: [4, (view, at) => view.getInt32(at, true)],
};

/** Reads a binary little-endian PLY file with an element `vertex` and an element `face`. */
export function readPly(bytes: Uint8Array): PlyFile {
  const text = new TextDecoder("latin1").decode(bytes);
  const end = text.indexOf("end_header\n") + "end_header\n".length;
  const lines = text.slice(0, end).trimEnd().split("\n");
  assertEquals(lines.slice(0, 2), ["ply", "format binary_little_endian 1.0"]);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = end;
  const take = (type: string) => {
    const [size, read] = READERS[type];
    at += size;
    return read(view, at - size);
  };
  const count = (name: string) =>
    Number(
      lines.find((line) => line.startsWith(`element ${name} `))!.split(" ")[2],
    );
  const face = lines.findIndex((line) => line.startsWith("element face"));
  const properties = lines.slice(0, face)
    .filter((line) => line.startsWith("property"))
    .map((line) => line.split(" "));
  const vertex: Record<string, number[]> = Object.fromEntries(
    properties.map(([, , name]) => [name, []]),
  );
  for (let k = 0; k < count("vertex"); k++) {
    for (const [, type, name] of properties) vertex[name].push(take(type));
  }
  const [, list, length, item, name] = lines[face + 1].split(" ");
  assertEquals([list, name], ["list", "vertex_indices"]);
  const faces = Array.from(
    { length: count("face") },
    () => Array.from({ length: take(length) }, () => take(item)),
  );
  return { vertex, faces, rest: bytes.length - at };
}

/** What the description of a GLB file says, as far as the tests look. */
interface GlbDescription {
  asset: { version: string; generator: string };
  scene: number;
  scenes: { nodes?: number[] }[];
  meshes?: {
    primitives: {
      attributes: Record<string, number>;
      indices: number;
      material: number;
    }[];
  }[];
  materials?: unknown[];
  accessors?: {
    bufferView: number;
    componentType: number;
    count: number;
    type: "SCALAR" | "VEC3" | "VEC4";
    normalized?: boolean;
    min?: number[];
    max?: number[];
  }[];
  bufferViews?: {
    buffer: number;
    byteOffset: number;
    byteLength: number;
    target: number;
  }[];
  buffers?: { byteLength: number }[];
}

/** A GLB file. */
export interface GlbFile {
  json: GlbDescription;
  /** Numbers of an accessor, normalised ones in [0, 1]. */
  numbers: (accessor: number) => number[];
}

/** Reads a GLB file, and refuses what the specification does not allow. */
export function readGlb(bytes: Uint8Array): GlbFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (at: number) => view.getUint32(at, true);
  assertEquals(new TextDecoder().decode(bytes.subarray(0, 4)), "glTF");
  assertEquals([word(4), word(8)], [2, bytes.length]);
  const chunks: Record<string, Uint8Array> = {};
  for (let at = 12; at < bytes.length;) {
    assertEquals(
      word(at) % 4,
      0,
      "the length of a chunk is a multiple of four",
    );
    const type = new TextDecoder().decode(bytes.subarray(at + 4, at + 8));
    chunks[type.replace("\0", "")] = bytes.subarray(at + 8, at + 8 + word(at));
    at += 8 + word(at);
  }
  const json: GlbDescription = JSON.parse(
    new TextDecoder().decode(chunks.JSON),
  );
  if (json.buffers) {
    const spare = chunks.BIN.length - json.buffers[0].byteLength;
    assert(spare >= 0 && spare < 4);
  }
  return {
    json,
    numbers: (accessor) => accessorNumbers(json, chunks.BIN, accessor),
  };
}

const COMPONENTS = { SCALAR: 1, VEC3: 3, VEC4: 4 };
const SIZES: Record<number, number> = { 5126: 4, 5125: 4, 5123: 2 };

function accessorNumbers(
  json: GlbDescription,
  binary: Uint8Array,
  index: number,
): number[] {
  const accessor = json.accessors![index];
  const { byteOffset, byteLength } = json.bufferViews![accessor.bufferView];
  const components = COMPONENTS[accessor.type];
  const size = SIZES[accessor.componentType];
  assertEquals(byteOffset % 4, 0);
  assertEquals(components * size % 4, 0, "rows start at multiples of four");
  assertEquals(byteLength, accessor.count * components * size);
  assert(byteOffset + byteLength <= binary.length);
  const view = new DataView(binary.buffer, binary.byteOffset + byteOffset);
  return Array.from({ length: accessor.count * components }, (_, k) => {
    if (accessor.componentType === 5126) return view.getFloat32(4 * k, true);
    if (accessor.componentType === 5125) return view.getUint32(4 * k, true);
    const value = view.getUint16(2 * k, true);
    return accessor.normalized ? value / 65535 : value;
  });
}
