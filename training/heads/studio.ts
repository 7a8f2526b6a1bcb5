/**
 * The studio: latents and cameras in, pictures out.
 *
 * @module
 */
import {
  concat,
  type Device,
  linearWorkgroups,
  matmul,
  ShapeError,
  slice,
  type Tensor,
} from "../../engine/mod.ts";
import { WeightsError } from "../../weights/mod.ts";
import { ORIGIN, SCALE } from "./body.ts";
import { type Cast, castOf } from "./cast.ts";
import { describe } from "./describe.ts";
import { type FaceKit, PARTS, readFaceKit } from "./face_kit.ts";
import {
  type DescribedHeads,
  type HeadBatch,
  type HeadStudio,
  LABEL,
  type StudioFiles,
  type StudioOptions,
} from "./interface.ts";
import { develop, nearest, paintBody, paintHair, project } from "./kernels.ts";
import {
  ALL_IDENTITY_MODES,
  type HeadRecipe,
  IDENTITY_MODES,
  LATENT,
  recipeOf,
  VARIED_LATENT,
} from "./latent.ts";
import { type Cards, LOOK, lookOf, SHOT, shotOf } from "./look.ts";
import { skinShares } from "./skins.ts";
import { readWardrobe, type Wardrobe } from "./wardrobe.ts";

/** Samples of a pixel along each axis. */
const SAMPLES = 3;
/** Samples that are held at a time: two words each. */
const SAMPLES_AT_ONCE = 2 ** 24;

/**
 * Opens a studio.
 *
 * @throws {WeightsError} when a file is missing or is not what it should be
 */
export async function openStudio(
  device: Device,
  files: StudioFiles,
  options: StudioOptions = {},
): Promise<HeadStudio> {
  const kit = await readFaceKit(files.heads);
  return makeStudio(device, kit, await readWardrobe(files.assets), options);
}

/**
 * A studio of what was read already.
 *
 * @throws {WeightsError} when the kit has not as many identity modes as a latent asks for
 */
export function makeStudio(
  device: Device,
  kit: FaceKit,
  wardrobe: Wardrobe,
  { samples = SAMPLES, variety = false }: StudioOptions = {},
): HeadStudio {
  const modes = variety ? ALL_IDENTITY_MODES : IDENTITY_MODES;
  if (kit.identity.length < modes) {
    throw new WeightsError(
      `The heads have ${kit.identity.length} identity modes and ${modes} are needed: give all of ICT-FaceKit.`,
    );
  }
  const cast = castOf(device, kit, wardrobe, modes);
  return new Studio(device, cast, samples, variety ? VARIED_LATENT : LATENT);
}

/** Heads of a call, each once. */
interface Heads {
  readonly recipes: readonly HeadRecipe[];
  /** (H, 3 V): body, then hair, in the world. */
  readonly world: Tensor;
  /** (H, 3 V): colours of the same vertices. */
  readonly colours: Tensor;
}

class Studio implements HeadStudio {
  readonly latent: number;
  readonly #device: Device;
  readonly #cast: Cast;
  readonly #samples: number;

  constructor(device: Device, cast: Cast, samples: number, latent: number) {
    this.#device = device;
    this.#cast = cast;
    this.#samples = samples;
    this.latent = latent;
  }

  render(z: Float32Array, labels: Float32Array, side: number): HeadBatch {
    const device = this.#device, width = this.latent;
    const count = z.length / width;
    if (!(count >= 1) || labels.length !== LABEL * count || side < 1) {
      throw new ShapeError(
        `${z.length} numbers of latents and ${labels.length} of cameras make no pictures: a picture takes ${width} and ${LABEL}.`,
      );
    }
    return device.withoutTape(() => {
      using scope = device.scope();
      const { heads, of } = distinct(z, width);
      const shaped = this.#shape(heads);
      const shots = device.tensor(
        of.flatMap((head, k) =>
          shotOf(
            labels.subarray(LABEL * k, LABEL * (k + 1)),
            head,
            this.#cards(shaped.recipes[head].style),
            shaped.recipes[head],
          )
        ),
        [count, SHOT],
      );
      const frame = this.#expose(shaped, shots, side);
      const part = (first: number, channels: number) =>
        slice(frame, [0, first, 0, 0], [count, channels, side, side]);
      const batch = {
        z: device.tensor(z, [count, width]),
        labels: device.tensor(labels, [count, LABEL]),
        picture: part(0, 3),
        opacity: part(3, 1),
        distance: part(4, 1),
      };
      scope.keep(Object.values(batch));
      return batch;
    });
  }

  describe(z: Float32Array): DescribedHeads {
    return describe(this.#cast, z, this.latent);
  }

  close(): void {
    for (const t of Object.values<Tensor>({ ...this.#cast.tensors })) {
      t.release();
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Vertices and colours of heads. */
  #shape(latents: readonly Float32Array[]): Heads {
    const device = this.#device, cast = this.#cast, { tensors } = cast;
    const recipes = latents.map(recipeOf), count = recipes.length;
    const weights = latents.map((z, k) => [
      ...recipes[k].identity,
      ...cast.expressions.weights(z),
    ]);
    const glasses = recipes.map((r) => r.glasses ? sizeOf(cast, r) : 0);
    const shares = recipes.map((r) => skinShares(cast.skinPlaces, r.skin));
    const blend = (rows: number[][], of: Tensor) =>
      matmul(device.tensor(rows.flat(), [count, rows[0].length]), of);
    const world = concat([
      blend(
        weights.map((w, k) => [1, ...w, glasses[k]]),
        tensors.bodyShapes,
      ),
      blend(
        weights.map((w) => [1, ...w.slice(0, cast.modes)]),
        tensors.hairShapes,
      ),
    ], 1);
    const looks = device.tensor(
      recipes.flatMap((recipe, k) =>
        lookOf(recipe, {
          skin: mean(cast.skinMeans, shares[k]),
          browStyles: cast.browStyles,
          covered: recipe.style < cast.hair.parts.length,
          gaze: cast.eyes.gaze(weights[k]),
        })
      ),
      [count, LOOK],
    );
    const colours = device.empty(world.shape);
    this.#paint(world, looks, blend(shares, tensors.skins), colours);
    return { recipes, world, colours };
  }

  #paint(world: Tensor, looks: Tensor, albedo: Tensor, colours: Tensor): void {
    const { body, hair, tensors } = this.#cast, [heads] = world.shape;
    const { fans, surface, brows, normals } = tensors;
    this.#device.run(paintBody, {
      tensors: { world, fans, surface, albedo, brows, looks, colours },
      params: {
        vertices: body.vertices,
        all: body.vertices + hair.vertices,
        skin: PARTS.skin.end,
        // it grows dark from 10 cm in front of the kit's origin to 5.5 cm
        throat: 5.5 * SCALE + ORIGIN[2],
        mouth: 4.5 * SCALE,
      },
      workgroups: [linearWorkgroups(body.vertices)[0], heads],
    });
    this.#device.run(paintHair, {
      tensors: { normals, looks, colours },
      params: { vertices: hair.vertices, body: body.vertices },
      workgroups: [linearWorkgroups(hair.vertices)[0], heads],
    });
  }

  #cards(style: number): Cards {
    const part = this.#cast.hair.parts[style];
    return part
      ? { skip: part.first, count: part.count, layer: style }
      : { skip: 0, count: 0, layer: 0 };
  }

  /** Pictures, opacities and distances (B, 5, side, side). */
  #expose({ world, colours }: Heads, shots: Tensor, side: number): Tensor {
    const device = this.#device, { body, hair } = this.#cast;
    const vertices = body.vertices + hair.vertices;
    const fine = side * this.#samples, count = shots.shape[0];
    const screen = device.empty([count, vertices, 3]);
    device.run(project, {
      tensors: { world, shots, screen },
      params: { vertices, side: fine },
      workgroups: [linearWorkgroups(vertices)[0], count],
    });
    const frame = device.empty([count, 5, side, side]);
    const step = Math.max(1, Math.floor(SAMPLES_AT_ONCE / fine ** 2));
    for (let first = 0; first < count; first += step) {
      const pictures = Math.min(step, count - first);
      this.#exposeSome({ screen, shots, colours, frame }, first, pictures);
    }
    return frame;
  }

  #exposeSome(
    { screen, shots, colours, frame }: Record<string, Tensor>,
    first: number,
    pictures: number,
  ): void {
    const device = this.#device, { body, hair, tensors } = this.#cast;
    const { triangles, uv, strands } = tensors;
    const side = frame.shape[3] * this.#samples;
    using depths = device.full([pictures, side, side], Infinity);
    using owners = device.full([pictures, side, side], Infinity);
    const params = {
      first,
      vertices: screen.shape[1],
      body: body.vertices,
      solid: body.triangles,
      side,
      texture: hair.side,
    };
    const most = Math.max(...hair.parts.map((p) => p.count));
    const mesh = { screen, triangles, shots, uv, strands };
    for (const stage of [0, 1]) {
      device.run(nearest, {
        tensors: { ...mesh, depths, owners },
        params: { ...params, stage },
        workgroups: [linearWorkgroups(body.triangles + most)[0], pictures],
      });
    }
    device.run(develop, {
      tensors: { ...mesh, owners, colours, frame },
      params: { ...params, samples: this.#samples },
      workgroups: [linearWorkgroups(frame.shape[3] ** 2)[0], pictures],
    });
  }
}

/** Heads that follow themselves counted once, and which of them each picture shows. */
function distinct(
  z: Float32Array,
  width: number,
): { heads: Float32Array[]; of: number[] } {
  const heads: Float32Array[] = [], of: number[] = [];
  for (let at = 0; at < z.length; at += width) {
    const next = z.subarray(at, at + width), last = heads.at(-1);
    if (!last?.every((x, k) => x === next[k])) heads.push(next);
    of.push(heads.length - 1);
  }
  return { heads, of };
}

/** Glasses that fit: their size over that of the neutral head's. */
function sizeOf({ widths }: Cast, { identity }: HeadRecipe): number {
  return identity.reduce((size, w, k) => size + w * widths[k], 1);
}

function mean(
  rows: readonly (readonly number[])[],
  shares: readonly number[],
): number[] {
  return rows[0].map((_, c) =>
    rows.reduce((sum, row, k) => sum + shares[k] * row[c], 0)
  );
}
