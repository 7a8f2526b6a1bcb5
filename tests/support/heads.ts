/** Heads that need no assets: a ball with ICT-FaceKit's numbering, and a wardrobe of squares. */
import { NEEDED } from "../../training/heads/expression.ts";
import {
  type FaceKit,
  IRISES,
  KIT_VERTICES,
  LANDMARKS,
  PARTS,
  SOLID_FACES,
} from "../../training/heads/face_kit.ts";
import { zip } from "./archives.ts";
import { ascii, concat, le } from "./pickle_writer.ts";
import {
  HAIR_STYLES,
  type HairStyle,
  type Wardrobe,
} from "../../training/heads/wardrobe.ts";

/** Radius of the ball around the kit's origin, in centimetres. */
export const RADIUS = 8;
/** How far the chin of the ball sinks at the weight 1 of `jawOpen`, in centimetres. */
export const DROP = 2;

const ROWS = 103, COLUMNS = 108;

/** A ball with twelve identity modes, or as many as are asked for, of which the first makes it wider. */
export function ballKit(modes = 12): FaceKit {
  const { positions, quads } = ball();
  const named = jawAndLips(positions, quads);
  const still = NEEDED.filter((n) => n !== "jawOpen" && n !== "mouthSmile");
  const shape = (at: (x: number, y: number) => number[]) => {
    const moved = new Float32Array(3 * KIT_VERTICES);
    for (let v = 0; v < PARTS.skin.end; v++) {
      moved.set(at(named[3 * v], named[3 * v + 1]), 3 * v);
    }
    return moved;
  };
  return {
    neutral: named,
    quads,
    identity: Array.from(
      { length: modes },
      (_, k) => shape((x) => [k === 0 ? 0.1 * x : 0, 0, 0]),
    ),
    expression: [
      shape((_, y) => [0, y < -4 ? -DROP : 0, 0]),
      shape(() => [0, 0, 0.1]),
      ...still.map(() => new Float32Array(3 * KIT_VERTICES)),
    ],
    expressionNames: ["jawOpen", "mouthSmile_L", ...still],
  };
}

/** Vertices by rows from the lower to the upper pole; everything that is not skin lies in the middle. */
function ball(): { positions: Float32Array; quads: Uint32Array } {
  const positions = new Float32Array(3 * KIT_VERTICES);
  const quads = new Uint32Array(4 * SOLID_FACES);
  let face = 0;
  for (let row = 0; row <= ROWS; row++) {
    const latitude = Math.PI * (row / ROWS - 0.5);
    for (let column = 0; column < COLUMNS; column++) {
      const longitude = 2 * Math.PI * column / COLUMNS;
      const v = row * COLUMNS + column;
      positions.set([
        RADIUS * Math.cos(latitude) * Math.sin(longitude),
        RADIUS * Math.sin(latitude),
        RADIUS * Math.cos(latitude) * Math.cos(longitude),
      ], 3 * v);
      const next = row * COLUMNS + (column + 1) % COLUMNS;
      if (row < ROWS) {
        quads.set([v, next, next + COLUMNS, v + COLUMNS], 4 * face++);
      }
    }
  }
  for (const iris of IRISES) {
    for (let v = iris.first; v < iris.end; v++) positions[3 * v + 2] = 1;
  }
  return { positions, quads };
}

/** Exchanges vertices so that the landmarks of jaw and lips are where a beard expects them. */
function jawAndLips(positions: Float32Array, quads: Uint32Array): Float32Array {
  const places = Array.from({ length: ROWS * COLUMNS }, (_, v) => v);
  const swap = (landmark: number, x: number, y: number) => {
    const z = Math.sqrt(Math.max(0, RADIUS ** 2 - x ** 2 - y ** 2));
    const distance = (v: number) =>
      Math.hypot(
        positions[3 * places[v]] - x,
        positions[3 * places[v] + 1] - y,
        positions[3 * places[v] + 2] - z,
      );
    const nearest = places.reduce(
      (best, _, v) => distance(v) < distance(best) ? v : best,
      0,
    );
    const to = LANDMARKS[landmark];
    [places[nearest], places[to]] = [places[to], places[nearest]];
  };
  for (let k = 1; k <= 15; k++) {
    const angle = Math.PI * (k - 8) / 16;
    swap(k, 6.5 * Math.sin(angle), -6.5 * Math.cos(angle));
  }
  for (let k = 0; k < 12; k++) {
    const angle = 2 * Math.PI * k / 12;
    swap(48 + k, 2 * Math.cos(angle), 0.7 * Math.sin(angle) - 3);
  }
  const now = new Uint32Array(KIT_VERTICES).map((_, v) => v);
  places.forEach((from, v) => now[from] = v);
  quads.forEach((v, k) => quads[k] = now[v]);
  const moved = positions.slice();
  places.forEach((from, v) =>
    moved.set(positions.subarray(3 * from, 3 * from + 3), 3 * v)
  );
  return moved;
}

/** A square of hair beside the ball, of which the texture's left half is clear. */
export const CARD = { left: 9, right: 13, top: 6, bottom: 2 } as const;

/** Five plain skins, twelve brows that are not there, and the square as every style. */
export function plainWardrobe(): Wardrobe {
  const count = PARTS.skin.end;
  const tones = [0.2, 0.35, 0.5, 0.6, 0.8];
  return {
    skins: tones.map((tone, k) =>
      new Float32Array(3 * count).map((_, i) =>
        tone * (1 - 0.1 * (i % 3)) * (1 + 0.05 * Math.sin(i * (k + 1)))
      )
    ),
    brows: Array.from({ length: 12 }, () => new Float32Array(count)),
    hair: HAIR_STYLES.map(square),
  };
}

function square(): HairStyle {
  const { left, right, top, bottom } = CARD;
  const corners = [[left, bottom], [right, bottom], [right, top], [left, top]];
  return {
    vertices: Float32Array.from(corners.flatMap(([x, y]) => [x, y, 0])),
    uv: Float32Array.from([0, 0, 1, 0, 1, 1, 0, 1]),
    triangles: Uint32Array.from([0, 1, 2, 0, 2, 3]),
    texture: Float32Array.from(
      { length: 4 * 4 * 4 },
      (_, k) => k % 4 < 3 ? 0.5 : k % 16 < 8 ? 0 : 1,
    ),
    near: new Uint32Array(4 * 6),
    weights: new Float32Array(4 * 6),
  };
}

/** A latent of zeros but for these numbers. */
export function latentOf(
  numbers: Record<number, number>,
  width = 36,
): Float32Array {
  const z = new Float32Array(width);
  for (const [k, x] of Object.entries(numbers)) z[Number(k)] = x;
  return z;
}

/** A latent whose hair is a crop, which has no cards. */
export const CROP: Readonly<Record<number, number>> = { 24: -1, 25: 0.01 };

/** The files of a kit as ICT-FaceKit is released, in a folder. */
export async function writeRelease(
  folder: string,
  kit: FaceKit,
): Promise<void> {
  const lines = (shape: Float32Array) =>
    Array.from(
      { length: KIT_VERTICES },
      (_, v) => `v ${shape.slice(3 * v, 3 * v + 3).join(" ")}`,
    );
  const faces = Array.from({ length: SOLID_FACES }, (_, f) => {
    const [a, b, c, d] = kit.quads.subarray(4 * f, 4 * f + 4);
    const corners = c === d ? [a, b, c] : [a, b, c, d];
    return `f ${corners.map((v) => `${v + 1}/${f + 1}`).join(" ")}`;
  });
  const write = (name: string, shape: Float32Array) =>
    Deno.writeTextFile(
      `${folder}/${name}.obj`,
      ["# a head", "mtllib head.mtl", ...lines(shape), ...faces].join("\n"),
    );
  const added = (shape: Float32Array) =>
    kit.neutral.map((x, k) => x + shape[k]);
  await write("generic_neutral_mesh", kit.neutral);
  for (const [k, shape] of kit.identity.entries()) {
    await write(`identity${String(k).padStart(3, "0")}`, added(shape));
  }
  for (const [k, shape] of kit.expression.entries()) {
    await write(kit.expressionNames[k], added(shape));
  }
}

/** A kit as one `.npz`, perhaps without one of its arrays. */
export function packedKit(kit: FaceKit, without = ""): Uint8Array<ArrayBuffer> {
  const names = kit.expressionNames;
  const length = Math.max(...names.map((name) => name.length));
  const texts = new Uint32Array(names.length * length);
  names.forEach((name, k) =>
    texts.set([...name].map((c) => c.charCodeAt(0)), k * length)
  );
  const shapes = (rows: readonly Float32Array[]) =>
    npy("<f4", [rows.length, KIT_VERTICES, 3], rows);
  const arrays = {
    neutral: npy("<f4", [KIT_VERTICES, 3], [kit.neutral]),
    quads: npy("<u4", [kit.quads.length / 4, 4], [kit.quads]),
    identity: shapes(kit.identity),
    expression: shapes(kit.expression),
    expression_names: npy(`<U${length}`, [names.length], [texts]),
  };
  return zip(
    Object.entries(arrays).filter(([name]) => name !== without)
      .map(([name, bytes]) => ({ name: `${name}.npy`, bytes })),
  );
}

function npy(
  descr: string,
  shape: readonly number[],
  parts: readonly (Float32Array | Uint32Array)[],
): Uint8Array {
  const header =
    `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape},), }\n`;
  return concat([
    ascii("\x93NUMPY\x01\x00"),
    le(header.length, 2),
    ascii(header),
    ...parts.map((p) => new Uint8Array(p.buffer, p.byteOffset, p.byteLength)),
  ]);
}
