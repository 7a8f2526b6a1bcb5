/**
 * What the numbers of a latent mean. They are standard normals:
 *
 *      0-11  identity modes                  26  hair dark to light, eyes follow
 *     12-19  expression                      27  hair grey (high), reddish (low)
 *     20-23  skin, by distance to twenty     28  brow style
 *     24-25  hair style, by their angle      29  beard
 *     30, 31 light from the side, above      32  softness of the light
 *     33     backdrop dark to bright         34, 35 clothes dark to light, hue
 *
 * and, for studios that offer variety,
 *
 *     36     light cold to warm              39  backdrop brighter to +x
 *     37     light magenta to green          40  backdrop brighter above
 *     38     backdrop cold to warm           41  noise of the sensor
 *     42-129 identity modes from the thirteenth on
 *     130    glasses (one head in five)
 *
 * @module
 */
import { HAIR_STYLES } from "./wardrobe.ts";

/** Red, green and blue, in [0, 1] where they are a colour. */
export type Rgb = readonly [number, number, number];

/** Identity modes that every latent has. */
export const IDENTITY_MODES = 12;
/** Identity modes of the kit. */
export const ALL_IDENTITY_MODES = 100;
/** First of the two numbers of a hair style. */
export const STYLE = 24;
/** Numbers of a latent. */
export const LATENT = 36;
/** Numbers of a latent with variety. */
export const VARIED_LATENT: number = 43 + ALL_IDENTITY_MODES - IDENTITY_MODES;

/** Standard deviation of a mode's weight: heads a little more alike than the kit's scans. */
const IDENTITY_SPREAD = 0.85;

/** One standard normal number in five is larger. */
const GLASSES = 0.84;

/** Everything that a latent says of a head. */
export interface HeadRecipe {
  /** Weights of the identity modes. */
  readonly identity: readonly number[];
  /** Where the head stands in the space of skins. */
  readonly skin: readonly number[];
  /** Index of the hair style, or `HAIR_STYLES.length` for a crop. */
  readonly style: number;
  /** Colour of hair, brows and beard. */
  readonly hair: Rgb;
  /** Colour of the irises. */
  readonly iris: Rgb;
  /** Brow style: 0 to 11, between two of twelve. */
  readonly brow: number;
  /** Whether it wears glasses. */
  readonly glasses: boolean;
  /** Density of the beard. */
  readonly beard: number;
  /** Direction to the light. */
  readonly light: Rgb;
  /** Strength of the light from everywhere. */
  readonly ambient: number;
  /** Colours of the light from one side and of that from everywhere, 1 where white. */
  readonly tints: readonly [Rgb, Rgb];
  /** Colour of the backdrop in its middle. */
  readonly backdrop: Rgb;
  /** How much brighter the backdrop is at the volume's side and top. */
  readonly slope: readonly [number, number];
  /** Colour of the clothes. */
  readonly clothes: Rgb;
  /** Standard deviation of the sensor's noise, of the picture's [0, 1]. */
  readonly noise: number;
}

/** Share of standard normal numbers below x. */
export function normalShare(x: number): number {
  if (Math.abs(x) > 7) return x > 0 ? 1 : 0;
  // Marsaglia's series: phi(x) (x + x^3 / 3 + x^5 / 15 ...)
  let term = x, sum = x;
  for (let k = 3; Math.abs(term) > 1e-17; k += 2) sum += term *= x * x / k;
  return 0.5 + sum * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
}

const limit = (x: number, low: number, high: number) =>
  Math.min(Math.max(x, low), high);

/** Reads a latent of 36 or more numbers. */
export function recipeOf(z: ArrayLike<number>): HeadRecipe {
  const lightness = normalShare(z[26]);
  const elevation = 0.45 + 0.35 * z[31];
  return {
    identity: identityOf(z),
    skin: [z[20], z[21], z[22], z[23]],
    style: styleOf(z[STYLE], z[STYLE + 1]),
    hair: hairColour(lightness, z[27]),
    iris: irisColour(lightness),
    brow: 11 * normalShare(z[28]),
    glasses: z.length > LATENT && z[VARIED_LATENT - 1] > GLASSES,
    beard: 1 / (1 + Math.exp(2.6 - 2.6 * z[29])),
    light: [
      Math.sin(0.7 * z[30]) * Math.cos(elevation),
      Math.sin(elevation),
      Math.cos(0.7 * z[30]) * Math.cos(elevation),
    ],
    ambient: 0.38 + 0.34 * normalShare(z[32]),
    clothes: clothesColour(z[34], z[35]),
    ...surroundings(z),
  };
}

function identityOf(z: ArrayLike<number>): number[] {
  const modes = z.length > LATENT ? ALL_IDENTITY_MODES : IDENTITY_MODES;
  return Array.from(
    { length: modes },
    (_, k) => IDENTITY_SPREAD * z[k < IDENTITY_MODES ? k : 30 + k],
  );
}

/** Styles on the circle, of which the crop is the last. */
const STYLES = HAIR_STYLES.length + 1;

/** Where a pair of numbers stands on the circle of styles, from 0 to their number. */
function turnOf(x: number, y: number): number {
  return (Math.atan2(y, x) / (2 * Math.PI) + 0.5) * STYLES;
}

function styleOf(x: number, y: number): number {
  return Math.floor(turnOf(x, y)) % STYLES;
}

/** How short a pair may be, and how much of a style's sector it may come from. */
const PLAIN = 0.8, INNER = 0.7;

/**
 * The same hair style by a pair of numbers that keeps away from other styles:
 * at a border, and around zero, nobody can say what a head will wear.
 */
export function distinctStyle(x: number, y: number): [number, number] {
  const turn = turnOf(x, y), middle = Math.floor(turn) + 0.5;
  const inner = middle + INNER * (turn - middle);
  const angle = (inner / STYLES - 0.5) * 2 * Math.PI;
  const length = Math.max(PLAIN, Math.hypot(x, y));
  return [length * Math.cos(angle), length * Math.sin(angle)];
}

function hairColour(lightness: number, tone: number): Rgb {
  const light = lightness ** 2.4;
  const grey = limit((normalShare(tone) - 0.84) / 0.14, 0, 1);
  const red = 0.25 * limit(normalShare(-tone) - 0.6, 0, 1);
  const colour = (dark: number, fair: number, old: number, reddish: number) =>
    ((dark * (1 - lightness) + fair * light) * (1 - grey) + old * grey) *
    (1 + red * reddish);
  return [
    colour(0.035, 0.36, 0.38, 1),
    colour(0.027, 0.25, 0.375, -0.1),
    colour(0.022, 0.145, 0.37, -0.5),
  ];
}

function irisColour(lightness: number): Rgb {
  const blue = limit(1.6 * lightness - 0.5, 0, 1);
  return [0.20 + 0.12 * blue, 0.12 + 0.26 * blue, 0.065 + 0.34 * blue];
}

function clothesColour(brightness: number, hue: number): Rgb {
  const share = normalShare(brightness);
  const grey = 0.5 * (0.15 + 1.5 * share);
  // neither black nor white has a hue
  const chroma = 0.22 * (1 - Math.abs(2 * share - 1));
  const channel = (phase: number) =>
    limit(grey + chroma * Math.sin(2 * hue + phase), 0.02, 0.95);
  return [channel(0), channel(2.1), channel(4.2)];
}

type Surroundings = Pick<HeadRecipe, "tints" | "backdrop" | "slope" | "noise">;

function surroundings(z: ArrayLike<number>): Surroundings {
  const varied = z.length > LATENT;
  const at = (k: number) => varied ? Math.tanh(z[k] / 2) : 0;
  const warm = at(36), green = at(37), tone = at(38);
  const grey = 0.06 + 0.86 * normalShare(z[33]);
  return {
    // the shade is as cold as the light is warm
    tints: [
      [1 + 0.16 * warm, 1 + 0.06 * green, 1 - 0.20 * warm],
      [1 - 0.06 * warm, 1 + 0.03 * green, 1 + 0.08 * warm],
    ],
    backdrop: [
      limit(grey - 0.015 + 0.1 * tone, 0, 1),
      limit(grey, 0, 1),
      limit(grey + 0.02 - 0.1 * tone, 0, 1),
    ],
    slope: [0.2 * at(39), 0.2 * at(40)],
    noise: varied ? 0.025 * normalShare(z[41]) ** 2 : 0,
  };
}
