/**
 * Chooses, for each operator and shape, the fastest of several kernels on this
 * very adapter.
 *
 * Operators run at once and cannot wait for a measurement. So a device that was
 * opened with a cache notes which shapes it meets and takes the default method
 * for them; `Device.tune` then checks the other methods of these shapes against
 * the always-right one, times those that agree, and keeps the fastest. A method
 * with wrong numbers is never timed, let alone chosen.
 *
 * @module
 */
import type { Dtype } from "../kernels/kernel.ts";
import type { Device } from "./device.ts";
import { DeviceLostError, EngineError, OutOfMemoryError } from "./errors.ts";
import { abs, affine, subtract } from "./ops/elementwise.ts";
import { cast } from "./ops/cast.ts";
import { maxAlong } from "./ops/reduce.ts";
import { Random } from "./random.ts";
import type { Shape, Tensor } from "./tensor.ts";

/** Names of the chosen methods, by what was tuned. */
export type Choices = Readonly<Record<string, string>>;

/** Where choices are kept; the engine itself touches no file. */
export interface TuneCache {
  /** The choices for an adapter; null when there are none. */
  load(adapter: string): Promise<Choices | null>;
  /** Replaces the choices for an adapter. */
  save(adapter: string, choices: Choices): Promise<void>;
}

/** An operator at one shape, which several methods compute. */
export interface Tunable<M> {
  /** Names operator and shape. */
  readonly key: string;
  /** Methods, the default first. */
  readonly methods: readonly M[];
  /** The method that is always right. */
  readonly reference: M;
  /** A name for each method, the same in every run of the program. */
  readonly name: (method: M) => string;
  /** Shapes and element types of the inputs. */
  readonly inputs: readonly { shape: Shape; dtype: Dtype }[];
  /** Runs a method. */
  readonly run: (inputs: readonly Tensor[], method: M) => Tensor;
  /** Multiplications and additions. */
  readonly operations: number;
  /** The same operator at a smaller shape, where the reference takes long at this one. */
  readonly reduced?: () => Tunable<M>;
}

/** What came of tuning one shape. */
export interface Tuned {
  /** Operator and shape. */
  readonly key: string;
  /** Name of the chosen method. */
  readonly method: string;
  /** Its time, in milliseconds. */
  readonly milliseconds: number;
  /** Name of the default method, and its time. */
  readonly before: { readonly method: string; readonly milliseconds: number };
  /** Methods whose numbers were wrong, or that failed. */
  readonly rejected: readonly string[];
}

/** Milliseconds that a device takes for what `run` records. */
export type Stopwatch = (device: Device, run: () => void) => Promise<number>;

/** Largest difference from the reference, relative to its largest number. */
const TOLERANCE = { f32: 1e-4, f16: 4e-3 };
/** Operations up to which the reference is run at the shape itself. */
const CHECKED_WHOLE = { cpu: 2 ** 28, gpu: 2 ** 36 };
/** Rounds of timing: the fewest, and the most and milliseconds whichever is first. */
const ROUNDS = { fewest: 4, most: 20, milliseconds: 1000 };
/**
 * Methods that are so many times as slow as the best are timed no more; in the
 * first rounds only those that are slower by more than a slice of time, in
 * milliseconds, that another process may have taken.
 */
const HOPELESS = 1.5, SLICE = 50;
/** A method has to be this much faster than the default: no noise then swaps equals. */
const GAIN = 0.95;

interface Waiting {
  tune(device: Device): Promise<Tuned>;
}

/** Choices of one device, and shapes that wait to be tuned. */
export class Autotuner {
  readonly #adapter: string;
  readonly #cache: TuneCache;
  readonly #stopwatch: Stopwatch;
  readonly #choices: Map<string, string>;
  readonly #waiting = new Map<string, Waiting>();
  #tuning = false;

  /** Use {@linkcode Autotuner.open}. */
  constructor(
    adapter: string,
    cache: TuneCache,
    choices: Choices,
    stopwatch: Stopwatch,
  ) {
    this.#adapter = adapter;
    this.#cache = cache;
    this.#choices = new Map(Object.entries(choices));
    this.#stopwatch = stopwatch;
  }

  /**
   * Loads the choices for an adapter.
   *
   * @param adapter what the choices hold for; see `adapterKey`
   * @param stopwatch how methods are timed; by the adapter's timestamps when absent
   */
  static async open(
    adapter: string,
    cache: TuneCache,
    stopwatch: Stopwatch = deviceTime,
  ): Promise<Autotuner> {
    const choices = await cache.load(adapter) ?? {};
    return new Autotuner(adapter, cache, choices, stopwatch);
  }

  /** Shapes that were met and wait for {@linkcode Autotuner.tune}. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** The chosen method; the default one, and a note for later, when there is no choice yet. */
  pick<M>(tunable: Tunable<M>): M {
    const { key, methods, name } = tunable;
    const choice = this.#choices.get(key);
    const found = methods.find((m) => name(m) === choice);
    if (found !== undefined) return found;
    if (methods.length > 1 && !this.#tuning && !this.#waiting.has(key)) {
      this.#waiting.set(key, {
        tune: (device) => tuneOne(device, tunable, this.#stopwatch),
      });
    }
    return methods[0];
  }

  /**
   * Tunes every shape that waits, and saves the choices, also those that were
   * made before something went wrong. Nothing else may use the device until it
   * is done: tensors that are made meanwhile are released, and what runs
   * meanwhile is timed too.
   *
   * @throws {EngineError} when the always-right method of a shape fails, or the
   * device is lost or out of memory
   * @throws whatever the cache throws when it cannot save
   */
  async tune(device: Device): Promise<Tuned[]> {
    const found: Tuned[] = [];
    this.#tuning = true;
    try {
      for (const [key, waiting] of this.#waiting) {
        const tuned = await waiting.tune(device);
        this.#waiting.delete(key);
        this.#choices.set(key, tuned.method);
        found.push(tuned);
      }
    } finally {
      this.#tuning = false;
      if (found.length > 0) {
        const choices = Object.fromEntries(this.#choices);
        await this.#cache.save(this.#adapter, choices);
      }
    }
    return found;
  }
}

/**
 * The method for a shape: the tuner's choice on a device that has one, else the
 * default.
 *
 * @param methods for the shape, the default first
 * @param tunable asked for on a device with a tuner only
 */
export function chosen<M>(
  device: Device,
  methods: readonly M[],
  tunable: () => Tunable<M>,
): M {
  return device.tuner ? device.tuner.pick(tunable()) : methods[0];
}

async function tuneOne<M>(
  device: Device,
  tunable: Tunable<M>,
  stopwatch: Stopwatch,
): Promise<Tuned> {
  const { methods, name } = tunable;
  using _scope = device.scope();
  const inputs = randomInputs(device, tunable);
  const right = await agreeing(device, tunable, inputs);
  const times = await race(device, right, stopwatch, (method) => {
    using _scope = device.scope();
    device.withoutTape(() => tunable.run(inputs, method));
  });
  const [fallback] = methods, shortest = (m: M) => Math.min(...times.get(m)!);
  const best = right.reduce((a, b) => shortest(b) < shortest(a) ? b : a);
  const before = right.includes(fallback) ? shortest(fallback) : Infinity;
  const better = before === Infinity ||
    shortest(best) < GAIN * before &&
      middle(times.get(best)!) < GAIN * middle(times.get(fallback)!);
  return {
    key: tunable.key,
    method: name(better ? best : fallback),
    milliseconds: better ? shortest(best) : before,
    before: { method: name(fallback), milliseconds: before },
    rejected: methods.filter((m) => !right.includes(m)).map(name),
  };
}

/** Times of the methods, taken in turn: a machine that others use is slow for all of them alike. */
async function race<M>(
  device: Device,
  methods: readonly M[],
  stopwatch: Stopwatch,
  run: (method: M) => void,
): Promise<ReadonlyMap<M, readonly number[]>> {
  const times = new Map(methods.map((m) => [m, [] as number[]]));
  for (const method of methods) await stopwatch(device, () => run(method)); // compiles
  let spent = 0;
  for (let round = 0; round < ROUNDS.most; round++) {
    if (round >= ROUNDS.fewest && spent > ROUNDS.milliseconds) break;
    const best = Math.min(...[...times.values()].flat());
    const limit = HOPELESS * best + (round < ROUNDS.fewest ? SLICE : 0);
    for (const [method, own] of times) {
      if (round > 0 && Math.min(...own) > limit) continue;
      const time = await stopwatch(device, () => run(method));
      own.push(time);
      spent += time;
    }
  }
  return times;
}

function middle(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[times.length >> 1];
}

function randomInputs<M>(device: Device, { inputs }: Tunable<M>): Tensor[] {
  const random = new Random(device, 1);
  return device.withoutTape(() =>
    inputs.map(({ shape, dtype }) =>
      cast(affine(random.uniform(shape), 2, -1), dtype)
    )
  );
}

/** Methods whose numbers agree with the reference's, at this shape and, where that takes long, at a reduced one. */
async function agreeing<M>(
  device: Device,
  tunable: Tunable<M>,
  inputs: readonly Tensor[],
): Promise<M[]> {
  const { methods, reference, operations, reduced } = tunable;
  if (!reduced || operations <= CHECKED_WHOLE[device.profile]) {
    return await compare(device, tunable, inputs, methods, reference);
  }
  const small = reduced();
  const right = await compare(
    device,
    small,
    randomInputs(device, small),
    methods,
    reference,
  );
  const trusted = await firstThatRuns(
    device,
    tunable,
    inputs,
    right.filter((m) => m !== reference),
  );
  return await compare(device, tunable, inputs, right, trusted ?? reference);
}

/** The first method that does not fail at the shape, for instance for want of room. */
async function firstThatRuns<M>(
  device: Device,
  { run }: Tunable<M>,
  inputs: readonly Tensor[],
  methods: readonly M[],
): Promise<M | undefined> {
  for (const method of methods) {
    const runs = await holds(device, async () => {
      using _scope = device.scope();
      device.withoutTape(() => run(inputs, method));
      await device.finish();
      return true;
    });
    if (runs) return method;
  }
}

/** Those of the methods whose numbers agree with those of one. */
async function compare<M>(
  device: Device,
  { run }: Tunable<M>,
  inputs: readonly Tensor[],
  methods: readonly M[],
  trusted: M,
): Promise<M[]> {
  const right: M[] = [];
  for (const method of methods) {
    const isRight = method === trusted || await holds(
      device,
      () => agrees(device, run, inputs, method, trusted),
    );
    if (isRight) right.push(method);
  }
  return right;
}

/**
 * Whether `check` says so; a method that it fails with is like one with wrong
 * numbers, as long as the device still works.
 */
async function holds(
  device: Device,
  check: () => Promise<boolean>,
): Promise<boolean> {
  try {
    return await check();
  } catch (error) {
    if (
      !(error instanceof EngineError) || error instanceof DeviceLostError ||
      error instanceof OutOfMemoryError
    ) throw error;
    // what else the method broke is not to be blamed on the next one
    return await holds(device, () => device.settle().then(() => false));
  }
}

async function agrees<M>(
  device: Device,
  run: Tunable<M>["run"],
  inputs: readonly Tensor[],
  method: M,
  trusted: M,
): Promise<boolean> {
  using _scope = device.scope();
  const [error, scale] = device.withoutTape(() => {
    const wanted = cast(run(inputs, trusted), "f32");
    const got = cast(run(inputs, method), "f32");
    return [subtract(got, wanted), wanted].map((t) =>
      maxAlong(abs(t).view([t.size]), 0)
    );
  });
  const [[difference], [largest]] = await device.read(error, scale);
  // written so that NaN is no agreement
  return difference <= TOLERANCE[inputs[0].dtype] * largest;
}

/** Time inside kernels by timestamps, or by the clock where there are none. */
async function deviceTime(device: Device, run: () => void): Promise<number> {
  await device.finish();
  const start = performance.now();
  const times = await device.profileKernels(run);
  await device.finish();
  return times
    ? times.reduce((sum, t) => sum + t.milliseconds, 0)
    : performance.now() - start;
}
