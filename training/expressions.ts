/**
 * Whether heads make the faces that their latents ask for, seen by FaceMesh.
 *
 * Each head is drawn at rest and with several expressions; what is measured is
 * how far the mouth opens and its corners rise from rest.
 *
 * @module
 */
import type { Device } from "../engine/mod.ts";
import { sphereCamera } from "../pipeline/generator/cameras.ts";
import type { Generator } from "../pipeline/generator/state.ts";
import { project } from "../pipeline/face/camera.ts";
import { CANONICAL, POINTS } from "../pipeline/face/canonical.ts";
import {
  LandmarkFinder,
  MIN_PRESENCE,
  regionOfLandmarks,
} from "../pipeline/face/landmarks.ts";
import { correlation } from "../pipeline/quality.ts";
import { pictureOf } from "../pipeline/results.ts";
import { mouthOpening } from "../pipeline/transfer/facemesh/topology.ts";
import type { GeneratorConfig } from "../weights/mod.ts";
import type { HeadStudio } from "./heads/interface.ts";
import { EXPRESSION, EXPRESSIONS } from "./heads/expression.ts";
import { sampleHeads } from "./heads/sample.ts";
import { drawHead, HELD_OUT } from "./heldout.ts";
import { shoot, viewOf } from "./shots.ts";

/** How one movement of the face comes across. */
export interface MovementFigures {
  /** Correlation of what is seen with what the latent asks for; null where nothing moves. */
  readonly correlation: number | null;
  /** What is seen over what the studio's own pictures show, of how far the face moves. */
  readonly extent: number | null;
}

/** How expressions come across. */
export interface ExpressionFigures {
  /** Opening the mouth, z[12]. */
  readonly mouth: MovementFigures;
  /** Raising its corners, z[13]. */
  readonly smile: MovementFigures;
  /** Of the studio's own pictures: as well as this can be seen. */
  readonly studio: {
    readonly mouth: number | null;
    readonly smile: number | null;
  };
  /** Pictures in which FaceMesh saw no face. */
  readonly lost: number;
}

/** Numbers of the mannequin's latent that are measured. */
const MOUTH = EXPRESSION, SMILE = EXPRESSION + 1;

/** What is asked of each head: (z[12], z[13]), rest first. */
const ASKED: readonly (readonly [mouth: number, smile: number])[] = [
  [0, 0],
  [1, 0],
  [2, 0],
  [0, 1.5],
  [0, -1.5],
  [1.5, 1],
];

/** What FaceMesh sees of a mouth. */
interface Seen {
  readonly mouth: number;
  readonly smile: number;
}

/** Measures heads that no training sees, from the front. */
export async function measureExpressions(
  device: Device,
  studio: HeadStudio,
  generator: Generator,
  heads: number,
  onPicture: (done: number) => void = () => {},
): Promise<ExpressionFigures> {
  using _scope = device.scope();
  using finder = await LandmarkFinder.load(device);
  const { config } = generator, label = sphereCamera(config);
  const pairs: { asked: Seen; drawn: Seen; wanted: Seen }[] = [];
  let lost = 0, done = 0;
  for (let head = 0; head < heads; head++) {
    const rows = ASKED.map((asked) => latentOf(studio.latent, head, asked));
    const looks: ({ drawn: Seen; wanted: Seen } | null)[] = [];
    for (const z of rows) {
      const shots = await shoot(
        device,
        studio,
        z,
        label,
        1,
        config.img_resolution,
      );
      const [own] = await drawHead(device, generator, z, label);
      const drawn = await mouthOf(finder, own.image, config);
      const wanted = await mouthOf(finder, viewOf(shots, 0).picture, config);
      if (!drawn) lost++;
      looks.push(drawn && wanted && { drawn, wanted });
      onPicture(++done);
    }
    const rest = looks[0];
    for (const [k, look] of looks.entries()) {
      if (k === 0 || !look || !rest) continue;
      pairs.push({
        asked: { mouth: Math.max(0, ASKED[k][0]), smile: ASKED[k][1] },
        drawn: difference(look.drawn, rest.drawn),
        wanted: difference(look.wanted, rest.wanted),
      });
    }
  }
  const movement = (name: keyof Seen, of: "drawn" | "wanted") =>
    correlation(
      pairs.map((pair) => pair.asked[name]),
      pairs.map((pair) => pair[of][name]),
    );
  const figures = (name: keyof Seen): MovementFigures => ({
    correlation: movement(name, "drawn"),
    extent: slope(
      pairs.map(({ wanted }) => wanted[name]),
      pairs.map(({ drawn }) => drawn[name]),
    ),
  });
  return {
    mouth: figures("mouth"),
    smile: figures("smile"),
    studio: {
      mouth: movement("mouth", "wanted"),
      smile: movement("smile", "wanted"),
    },
    lost,
  };
}

/**
 * A held-out head at rest but for what is asked. The mapping network makes all
 * latents equally long; this one is so already, by what does not move, so that
 * what is asked is what it sees.
 */
function latentOf(
  width: number,
  head: number,
  [mouth, smile]: readonly [number, number],
): Float32Array {
  const z = sampleHeads(HELD_OUT + 1 + head, 1, width);
  z.fill(0, EXPRESSION, EXPRESSION + EXPRESSIONS);
  const left = Math.sqrt(z.length - mouth ** 2 - smile ** 2);
  const scale = left / Math.hypot(...z);
  const asked = z.map((v) => scale * v);
  asked[MOUTH] = mouth;
  asked[SMILE] = smile;
  return asked;
}

/** Where FaceMesh looks: around the canonical mesh, seen from the front. */
function regionOfFront(
  config: GeneratorConfig,
): ReturnType<typeof regionOfLandmarks> {
  const cam2world = [...sphereCamera(config).subarray(0, 16)];
  const points = new Float32Array(3 * POINTS);
  for (let k = 0; k < POINTS; k++) {
    const [u, v] = project(cam2world, [
      CANONICAL[3 * k],
      CANONICAL[3 * k + 1],
      CANONICAL[3 * k + 2],
    ]);
    points.set(
      [u * config.img_resolution, v * config.img_resolution, 0],
      3 * k,
    );
  }
  return regionOfLandmarks(points);
}

/** Corners of the mouth, and outer corners of the eyes. */
const CORNERS = [61, 291], EYES = [33, 263];
/** Inner middles of the upper and of the lower lip. */
const UPPER = 13, LOWER = 14;
/**
 * Where corners of a mouth that opens without smiling stay: this share of the
 * way from the upper to the lower lip, in pictures of the studio. Against the
 * middle of the lips an open mouth would count as a smile.
 */
const HINGE = 0.3;

async function mouthOf(
  finder: LandmarkFinder,
  planar: Float32Array,
  config: GeneratorConfig,
): Promise<Seen | null> {
  const { points, presence } = await finder.find(
    pictureOf(planar),
    regionOfFront(config),
  );
  if (presence < MIN_PRESENCE) return null;
  const y = (k: number) => points[3 * k + 1];
  const [a, b] = EYES, [left, right] = CORNERS;
  const width = Math.hypot(points[3 * a] - points[3 * b], y(a) - y(b));
  const hinge = y(UPPER) + HINGE * (y(LOWER) - y(UPPER));
  return {
    mouth: mouthOpening(points),
    // pictures count downwards
    smile: (hinge - (y(left) + y(right)) / 2) / width,
  };
}

const difference = (a: Seen, b: Seen): Seen => ({
  mouth: a.mouth - b.mouth,
  smile: a.smile - b.smile,
});

/** The factor by which x comes closest to y. */
function slope(x: readonly number[], y: readonly number[]): number | null {
  const squares = x.reduce((sum, v) => sum + v * v, 0);
  if (squares === 0) return null;
  return x.reduce((sum, v, k) => sum + v * y[k], 0) / squares;
}
