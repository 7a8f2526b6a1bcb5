/**
 * What a head wears: skins, brows and hair of MakeHuman (CC0), brought into
 * ICT-FaceKit's frame.
 *
 * @module
 */
import { openCheckpoint, WeightsError } from "../../weights/mod.ts";
import { arraysOf, PARTS } from "./face_kit.ts";

/** Hair styles in the order of the latent's circle: short to long. */
export const HAIR_STYLES = [
  "short04",
  "short03",
  "short02",
  "short01",
  "afro01",
  "bob02",
  "bob01",
  "long01",
  "Braid01",
  "ponytail01",
] as const;

/** A cut-out mesh of hair, in the kit's centimetres. */
export interface HairStyle {
  /** (n, 3). */
  readonly vertices: Float32Array;
  /** (n, 2), v up, repeated beyond 0 to 1. */
  readonly uv: Float32Array;
  /** (t, 3). */
  readonly triangles: Uint32Array;
  /** (side, side, 4) in [0, 1]. */
  readonly texture: Float32Array;
  /** (n, 6): the kit's vertices that each vertex moves with. */
  readonly near: Uint32Array;
  /** (n, 6): how much. */
  readonly weights: Float32Array;
}

/** What heads may wear. */
export interface Wardrobe {
  /** Colours of the kit's skin vertices, (11248, 3) in [0, 1] each. */
  readonly skins: readonly Float32Array[];
  /** Opacity of brow styles at the same vertices, (11248) in [0, 1] each. */
  readonly brows: readonly Float32Array[];
  /** Styles in the order of {@linkcode HAIR_STYLES}. */
  readonly hair: readonly HairStyle[];
}

/**
 * Reads the assets.
 *
 * @param path `makehuman.npz`
 * @throws {WeightsError} when something is missing or does not fit the kit
 */
export async function readWardrobe(path: string): Promise<Wardrobe> {
  const { root } = await openCheckpoint(path);
  const { albedo, brow } = arraysOf(root, path, ["albedo", "brow"]);
  const skin = PARTS.skin.end;
  if (albedo.shape[1] !== skin || brow.shape[1] !== skin) {
    throw new WeightsError(
      `${path} has skins of ${
        albedo.shape[1]
      } vertices instead of ICT-FaceKit's ${skin}: make it again from the current kit.`,
    );
  }
  const hair = HAIR_STYLES.map((name) => {
    const key = <K extends string>(k: K) => `hair_${name}_${k}` as const;
    const keys = ["v", "uv", "t", "tex", "near", "w"].map(key);
    const a = arraysOf(root, path, keys);
    return {
      vertices: a[key("v")].toFloat32().data,
      uv: a[key("uv")].toFloat32().data,
      triangles: Uint32Array.from(a[key("t")].toFloat64()),
      texture: unit(a[key("tex")].bytes),
      near: Uint32Array.from(a[key("near")].toFloat64()),
      weights: a[key("w")].toFloat32().data,
    };
  });
  return {
    skins: rows(unit(albedo.bytes), 3 * skin),
    brows: rows(unit(brow.bytes), skin),
    hair,
  };
}

function unit(bytes: Uint8Array): Float32Array {
  return Float32Array.from(bytes, (b) => b / 255);
}

function rows(data: Float32Array, size: number): Float32Array[] {
  return Array.from(
    { length: data.length / size },
    (_, k) => data.subarray(k * size, (k + 1) * size),
  );
}
