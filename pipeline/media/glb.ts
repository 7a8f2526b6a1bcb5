/**
 * Meshes as binary glTF 2.0 (Khronos, "glTF 2.0 Specification", chapters 3.7
 * and 4.4).
 *
 * @module
 */
import type { ColouredMesh } from "./mesh.ts";

const MAGIC = 0x46546c67, VERSION = 2;
const JSON_CHUNK = 0x4e4f534a, BIN_CHUNK = 0x004e4942;
const FLOAT = 5126, UNSIGNED_SHORT = 5123, UNSIGNED_INT = 5125;
const ARRAY_BUFFER = 34962, ELEMENT_ARRAY_BUFFER = 34963;
const TRIANGLES = 4;

/** One run of numbers of the file. */
interface Attribute {
  data: Float32Array | Uint16Array | Uint32Array;
  target: number;
  accessor: Record<string, unknown>;
}

/**
 * A GLB file with one mesh of one material: `POSITION`, `NORMAL`, `COLOR_0` and
 * indices. glTF's colours are linear, so those of the mesh are converted from
 * sRGB; sixteen bits keep dark ones apart.
 */
export function encodeGlb(mesh: ColouredMesh): Uint8Array<ArrayBuffer> {
  const vertices = mesh.positions.length / 3;
  if (vertices === 0) return container({ ...frame(), scenes: [{}] }, []);
  const attributes: Attribute[] = [
    floats(mesh.positions, bounds(mesh.positions)),
    floats(mesh.normals),
    {
      data: linearColours(mesh.colours),
      target: ARRAY_BUFFER,
      accessor: {
        componentType: UNSIGNED_SHORT,
        normalized: true,
        count: vertices,
        type: "VEC4",
      },
    },
    {
      data: mesh.triangles,
      target: ELEMENT_ARRAY_BUFFER,
      accessor: {
        componentType: UNSIGNED_INT,
        count: mesh.triangles.length,
        type: "SCALAR",
      },
    },
  ];
  let end = 0;
  const views = attributes.map(({ data, target }) => {
    const byteOffset = end;
    end += data.byteLength;
    return { buffer: 0, byteOffset, byteLength: data.byteLength, target };
  });
  const json = {
    ...frame(),
    scenes: [{ nodes: [0] }],
    nodes: [{ mesh: 0, name: "head" }],
    meshes: [{
      name: "head",
      primitives: [{
        attributes: { POSITION: 0, NORMAL: 1, COLOR_0: 2 },
        indices: 3,
        material: 0,
        mode: TRIANGLES,
      }],
    }],
    materials: [{
      name: "skin",
      pbrMetallicRoughness: { metallicFactor: 0, roughnessFactor: 1 },
    }],
    accessors: attributes.map(({ accessor }, bufferView) => ({
      bufferView,
      ...accessor,
    })),
    bufferViews: views,
    buffers: [{ byteLength: end }],
  };
  return container(json, attributes.map(({ data }) => data));
}

/** What every file has. */
function frame(): Record<string, unknown> {
  return { asset: { version: "2.0", generator: "Pantomime" }, scene: 0 };
}

function floats(
  data: Float32Array,
  more: Record<string, unknown> = {},
): Attribute {
  return {
    data,
    target: ARRAY_BUFFER,
    accessor: {
      componentType: FLOAT,
      count: data.length / 3,
      type: "VEC3",
      ...more,
    },
  };
}

/** The box around the vertices, which glTF demands of positions. */
function bounds(positions: Float32Array): { min: number[]; max: number[] } {
  const min = [Infinity, Infinity, Infinity];
  const max = [-Infinity, -Infinity, -Infinity];
  positions.forEach((v, k) => {
    min[k % 3] = Math.min(min[k % 3], v);
    max[k % 3] = Math.max(max[k % 3], v);
  });
  return { min, max };
}

/** (V, 4) with opacity: three shorts would break the rows' alignment to four bytes. */
function linearColours(colours: Float32Array): Uint16Array {
  const rows = new Uint16Array(colours.length / 3 * 4).fill(65535);
  colours.forEach((colour, k) => {
    const row = Math.floor(k / 3);
    rows[4 * row + k % 3] = Math.round(65535 * linear(colour));
  });
  return rows;
}

/** sRGB to linear light (IEC 61966-2-1). */
function linear(colour: number): number {
  const c = Math.min(Math.max(colour, 0), 1);
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
}

/** The file around a description and its numbers, each chunk a multiple of four bytes. */
function container(
  json: unknown,
  parts: readonly (Float32Array | Uint16Array | Uint32Array)[],
): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(JSON.stringify(json));
  const textBytes = Math.ceil(text.length / 4) * 4;
  const numberBytes = parts.reduce((sum, part) => sum + part.byteLength, 0);
  const numbers = parts.length > 0 ? 8 + numberBytes : 0;
  const file = new Uint8Array(12 + 8 + textBytes + numbers);
  const view = new DataView(file.buffer);
  const words = (at: number, ...values: number[]) =>
    values.forEach((value, k) => view.setUint32(at + 4 * k, value, true));
  words(0, MAGIC, VERSION, file.length, textBytes, JSON_CHUNK);
  // a description ends in spaces
  file.fill(0x20, 20, 20 + textBytes);
  file.set(text, 20);
  if (parts.length === 0) return file;
  words(20 + textBytes, numberBytes, BIN_CHUNK);
  let at = 28 + textBytes;
  for (const part of parts) {
    file.set(
      new Uint8Array(part.buffer, part.byteOffset, part.byteLength),
      at,
    );
    at += part.byteLength;
  }
  return file;
}
