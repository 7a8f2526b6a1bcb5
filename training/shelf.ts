/**
 * Heads that are at hand: each is drawn once and looked at in several steps,
 * through other rays each time, while new ones take the place of the oldest.
 *
 * What stands on the shelf in a step follows from the step's number, so that a
 * run that goes on finds what it would have found.
 *
 * @module
 */
import type { Device } from "../engine/mod.ts";
import { Draw } from "./draw.ts";
import type { HeadStudio } from "./heads/interface.ts";
import { lessonHead, sampleCameras } from "./heads/sample.ts";
import { attention } from "./rays.ts";
import { joined, shoot, type Shots } from "./shots.ts";

/** One head that is at hand. */
export interface ShelvedHead {
  /** Its pictures. */
  readonly shots: Shots;
  /** Where they are worth looking at, one for each view. */
  readonly attention: readonly Float64Array[];
}

/** What a shelf holds. */
export interface ShelfOptions {
  /** Seed of the training. */
  readonly seed: number;
  /** Heads of one step. */
  readonly batch: number;
  /** Cameras that see each head. */
  readonly views: number;
  /** Pixels of a picture's side. */
  readonly side: number;
}

/** Heads at hand. */
const SIZE = 24;
/** Steps in which a head is looked at, on average. */
const LOOKS = 2;

/** Purposes of random streams. */
const HEAD = 1, PICK = 2;

/** A shelf; it draws from the studio what it lacks. */
export class Shelf {
  readonly #device: Device;
  readonly #studio: HeadStudio;
  readonly #options: ShelfOptions;
  readonly #heads = new Map<number, ShelvedHead>();

  /** An empty shelf. */
  constructor(device: Device, studio: HeadStudio, options: ShelfOptions) {
    this.#device = device;
    this.#studio = studio;
    this.#options = options;
  }

  /** Heads that have been on the shelf up to a step. */
  drawn(step: number): number {
    const size = Math.max(SIZE, this.#options.batch);
    return size + Math.floor(step * this.#options.batch / LOOKS);
  }

  /** The heads of a step, no two alike. */
  async take(step: number): Promise<ShelvedHead[]> {
    const { batch, seed } = this.#options, size = Math.max(SIZE, batch);
    const last = this.drawn(step), first = last - size;
    await this.#fill(first, last);
    const draw = new Draw(seed, PICK, step);
    const left = Array.from({ length: size }, (_, k) => first + k);
    return Array.from(
      { length: batch },
      () => this.#heads.get(left.splice(draw.below(left.length), 1)[0])!,
    );
  }

  async #fill(first: number, last: number): Promise<void> {
    for (const k of this.#heads.keys()) if (k < first) this.#heads.delete(k);
    const { batch } = this.#options;
    const missing = [];
    for (let k = first; k < last; k++) if (!this.#heads.has(k)) missing.push(k);
    // as many at a time as a step needs, so that memory does not peak at the start
    for (let k = 0; k < missing.length; k += batch) {
      const numbers = missing.slice(k, k + batch);
      const shelved = await this.#draw(numbers);
      numbers.forEach((n, i) => this.#heads.set(n, shelved[i]));
    }
  }

  async #draw(numbers: readonly number[]): Promise<ShelvedHead[]> {
    const { seed, views, side } = this.#options;
    const seeds = numbers.map((n) => new Draw(seed, HEAD, n).below(2 ** 31));
    const all = await shoot(
      this.#device,
      this.#studio,
      joined(seeds.map((s) => lessonHead(s, this.#studio.latent))),
      joined(seeds.map((s) => sampleCameras(s, views))),
      numbers.length,
      side,
    );
    return numbers.map((_, k) => {
      const shots = headOf(all, k);
      return {
        shots,
        attention: Array.from({ length: views }, (_, v) => attention(shots, v)),
      };
    });
  }
}

/** Shots of one head among several. */
function headOf(shots: Shots, head: number): Shots {
  const of = (data: Float32Array) => {
    const size = data.length / shots.heads;
    return data.slice(head * size, (head + 1) * size);
  };
  const { views, side } = shots;
  return {
    heads: 1,
    views,
    side,
    z: of(shots.z),
    labels: of(shots.labels),
    picture: of(shots.picture),
    opacity: of(shots.opacity),
    distance: of(shots.distance),
  };
}
