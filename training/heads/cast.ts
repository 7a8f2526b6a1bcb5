/**
 * All heads in numbers: the meshes and shapes that a latent is turned into a
 * head with, on the device.
 *
 * @module
 */
import type { Device, Tensor } from "../../engine/mod.ts";
import { type Body, bodyOf, bodyShape, SURFACE } from "./body.ts";
import { Expressions } from "./expression.ts";
import { Eyes } from "./eyes.ts";
import type { FaceKit } from "./face_kit.ts";
import { templeWidth } from "./glasses.ts";
import { type Hair, hairOf, hairShape } from "./hair.ts";
import { regionsOf } from "./regions.ts";
import { skinPlaces } from "./skins.ts";
import type { Wardrobe } from "./wardrobe.ts";

/** What heads are made of. */
export interface Cast {
  /** Identity modes of a head. */
  readonly modes: number;
  /** Weights of expressions. */
  readonly expressions: Expressions;
  /** Where the eyes look. */
  readonly eyes: Eyes;
  /** Where each skin lies among the skins. */
  readonly skinPlaces: readonly (readonly number[])[];
  /** Mean colour of each skin where a beard may grow. */
  readonly skinMeans: readonly (readonly number[])[];
  /** How much wider than the neutral head each identity mode makes one where glasses pass. */
  readonly widths: readonly number[];
  /** Number of brow styles. */
  readonly browStyles: number;
  /** Mesh of head and shoulders. */
  readonly body: Pick<Body, "vertices"> & { readonly triangles: number };
  /** Mesh of all hair. */
  readonly hair: Pick<Hair, "vertices" | "parts" | "side">;
  /** The same numbers on the device. */
  readonly tensors: CastTensors;
}

/** Tensors of a {@linkcode Cast}. */
export interface CastTensors {
  /** (1 + modes + expressions + 1, 3 V): neutral body, its shapes, and glasses. */
  readonly bodyShapes: Tensor;
  /** (1 + modes, 3 V): neutral hair and its shapes. */
  readonly hairShapes: Tensor;
  /** (3 T), u32: corners of the triangles of the body, then of all hair. */
  readonly triangles: Tensor;
  /** Words of {@linkcode Body.fans}. */
  readonly fans: Tensor;
  /** {@linkcode Body.surface}. */
  readonly surface: Tensor;
  /** (skins, 3 x 11248). */
  readonly skins: Tensor;
  /** (styles, 11248). */
  readonly brows: Tensor;
  /** {@linkcode Hair.normals}. */
  readonly normals: Tensor;
  /** {@linkcode Hair.uv}. */
  readonly uv: Tensor;
  /** {@linkcode Hair.strands}. */
  readonly strands: Tensor;
}

/** Builds what heads are made of; its tensors live until they are released. */
export function castOf(
  device: Device,
  kit: FaceKit,
  wardrobe: Wardrobe,
  modes: number,
): Cast {
  const regions = regionsOf(kit.neutral);
  const body = bodyOf(kit, regions);
  const hair = hairOf(wardrobe.hair, kit.neutral);
  const identity = kit.identity.slice(0, modes);
  const shapes = [...identity, ...kit.expression];
  const tensors = device.unscoped((): CastTensors => ({
    bodyShapes: matrix(device, [
      body.neutral,
      ...shapes.map(bodyShape),
      body.glasses,
    ]),
    hairShapes: matrix(device, [
      hair.neutral,
      ...identity.map((s) => hairShape(wardrobe.hair, s)),
    ]),
    triangles: words(device, [
      ...body.triangles,
      ...hair.triangles.map((v) => v + body.vertices),
    ]),
    fans: words(device, body.fans),
    surface: device.tensor(body.surface, [body.vertices, SURFACE]),
    skins: matrix(device, wardrobe.skins),
    brows: matrix(device, byWeight(wardrobe.brows)),
    normals: device.tensor(hair.normals, [hair.vertices, 3]),
    uv: device.tensor(hair.uv, [hair.vertices, 2]),
    strands: device.tensor(hair.strands, [
      wardrobe.hair.length,
      hair.side,
      hair.side,
    ]),
  }));
  return {
    modes,
    expressions: new Expressions(kit.expressionNames),
    eyes: new Eyes(kit, shapes),
    skinPlaces: skinPlaces(wardrobe.skins),
    skinMeans: wardrobe.skins.map((s) => meanWhere(s, regions.beard)),
    widths: identity.map((s) => templeWidth(s) / templeWidth(kit.neutral)),
    browStyles: wardrobe.brows.length,
    body: { vertices: body.vertices, triangles: body.triangles.length / 3 },
    hair,
    tensors,
  };
}

function matrix(device: Device, rows: readonly Float32Array[]): Tensor {
  const width = rows[0].length, joined = new Float32Array(rows.length * width);
  rows.forEach((row, k) => joined.set(row, k * width));
  return device.tensor(joined, [rows.length, width]);
}

function words(device: Device, values: ArrayLike<number>): Tensor {
  const t = device.empty([values.length]);
  device.writeWords(t, Uint32Array.from(values));
  return t;
}

/** Brows from thin to thick: neighbours are blended. */
function byWeight(brows: readonly Float32Array[]): Float32Array[] {
  const weight = (b: Float32Array) => b.reduce((sum, x) => sum + x, 0);
  return brows.map((brow) => ({ brow, weight: weight(brow) }))
    .sort((a, b) => a.weight - b.weight).map(({ brow }) => brow);
}

function meanWhere(colours: Float32Array, share: Float32Array): number[] {
  const sum = [0, 0, 0];
  let count = 0;
  share.forEach((s, v) => {
    if (s <= 0.5) return;
    count++;
    for (let c = 0; c < 3; c++) sum[c] += colours[3 * v + c];
  });
  return sum.map((x) => x / count);
}
