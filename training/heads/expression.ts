/**
 * The eight expression numbers of a latent as weights of ICT-FaceKit's shapes.
 *
 * @module
 */
/** First of the numbers of an expression. */
export const EXPRESSION = 12;
/** Numbers of an expression. */
export const EXPRESSIONS = 8;
/** Those that move the mouth: jaw, smile, pucker, lips, to a side. */
export const MOUTH: readonly number[] = [12, 13, 16, 17, 19];

/** Weight of an expression and of its left and right halves, by name without `_L` and `_R`. */
type Pairs = Record<string, number>;

const positive = (x: number, slope: number, threshold = 0) =>
  Math.max(0, x * slope - threshold);

/** Weights, none of them negative, of each expression of the kit by its name. */
export class Expressions {
  readonly #index: ReadonlyMap<string, number>;

  /** @param names the kit's expressions in their order */
  constructor(names: readonly string[]) {
    this.#index = new Map(names.map((name, k) => [name, k]));
  }

  /** Weights in the kit's order of what a latent's numbers 12 to 19 ask for. */
  weights(z: ArrayLike<number>): Float32Array {
    const weights = new Float32Array(this.#index.size);
    for (const [name, value] of Object.entries(asked(z))) {
      for (const key of [name, `${name}_L`, `${name}_R`]) {
        const k = this.#index.get(key);
        if (k !== undefined) weights[k] += value;
      }
    }
    return weights;
  }
}

/** The first expression that latents ask for and a kit lacks, whole or by halves; undefined when it has all. */
export function missingExpression(
  names: readonly string[],
): string | undefined {
  const has = (name: string) =>
    names.some((n) => n === name || n === `${name}_L`);
  return NEEDED.find((name) => !has(name));
}

/** Expressions that latents ask for. */
export const NEEDED: readonly string[] = Object.keys(
  asked(new Float32Array(EXPRESSION + EXPRESSIONS)),
);

function asked(z: ArrayLike<number>): Pairs {
  const [jaw, smile, brows, lids, lips, mouth, gaze, side] = Array.from(
    { length: EXPRESSIONS },
    (_, k) => z[EXPRESSION + k],
  );
  const left = positive(gaze, 0.5), right = positive(-gaze, 0.5);
  return {
    jawOpen: positive(jaw, 0.42, 0.05),
    mouthSmile: positive(smile, 0.55),
    mouthFrown: positive(-smile, 0.495),
    cheekSquint: positive(smile, 0.275),
    browInnerUp: positive(brows, 0.45),
    browOuterUp: positive(brows, 0.35),
    browDown: positive(-brows, 0.5),
    eyeBlink: Math.min(1, positive(lids, 0.8, 0.75)),
    eyeWide: positive(-lids, 0.35, 0.25),
    mouthPucker: positive(lips, 0.5, 0.15),
    mouthStretch: positive(-lips, 0.4, 0.1),
    mouthUpperUp: positive(mouth, 0.35, 0.05),
    mouthLowerDown: positive(-mouth, 0.35, 0.05),
    eyeLookOut_L: left,
    eyeLookIn_R: left,
    eyeLookOut_R: right,
    eyeLookIn_L: right,
    mouthLeft: positive(side, 0.25, 0.1),
    mouthRight: positive(-side, 0.25, 0.1),
  };
}
