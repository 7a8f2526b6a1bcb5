/**
 * Finds faces in pictures of any size with BlazeFace.
 *
 * The network sees 256 x 256 pixels, in which it finds faces from about an eighth to three quarters
 * of the width. Other faces are found by showing it other parts of the picture: the whole first,
 * then the whole with a wide margin (a face that fills the picture), then the picture turned (people
 * lying down), then overlapping tiles (small faces). Later views are only tried while nothing was
 * found. Whatever is small or doubtful is looked at once more from near.
 *
 * Source: BlazeFace (Bazarevsky et al. 2019); anchors, box coding and weighted suppression as in
 * MediaPipe's back-camera model, whose weights `@vladmandic/human` brings along.
 *
 * @module
 */
import type { Device } from "../../engine/mod.ts";
import type { Picture } from "../media/picture.ts";
import { Network } from "./network.ts";
import { fromRegion, type Point, type Region, sampleRegion } from "./region.ts";

/** A face in a picture; all lengths in pixels. */
export interface DetectedFace {
  /** Centre of the face from brows to chin, in pixels from the left. */
  readonly x: number;
  /** The same from the top. */
  readonly y: number;
  /** Length of a side of the square around it. */
  readonly side: number;
  /** How sure the network is, 0 to 1. */
  readonly score: number;
  /** Its right eye (at the picture's left), left eye, nose tip, mouth, right ear, left ear. */
  readonly keypoints: readonly Point[];
}

/** Options of {@linkcode FaceDetector.detect}. */
export interface DetectOptions {
  /** Faces with a lower score do not count; 0.5 when absent. */
  readonly minScore?: number;
  /** Whether to look for small, turned and very large faces too; true when absent. */
  readonly thorough?: boolean;
  /** A second opinion: faces for which it says no do not count, and the search goes on. */
  readonly accept?: (face: DetectedFace) => Promise<boolean>;
}

/** BlazeFace on a device. */
export class FaceDetector {
  readonly #network: Network;

  /** Use {@linkcode FaceDetector.load}. */
  constructor(network: Network) {
    this.#network = network;
  }

  /**
   * Loads the network from its npm package.
   *
   * @throws {WeightsError} when the package is missing or damaged
   */
  static async load(device: Device): Promise<FaceDetector> {
    return new FaceDetector(await Network.load(device, "blazeface"));
  }

  /**
   * All faces of a picture, the largest first; none is an empty list.
   *
   * @throws {EngineError} when the device fails
   */
  async detect(
    picture: Picture,
    options: DetectOptions = {},
  ): Promise<DetectedFace[]> {
    const { minScore = 0.5, thorough = true, accept } = options;
    for (const views of viewsOf(picture, thorough)) {
      const candidates: DetectedFace[] = [];
      for (const view of views) {
        candidates.push(...await this.#look(picture, view, minScore));
      }
      const faces: DetectedFace[] = [];
      for (const face of suppress(candidates).slice(0, MOST_FACES)) {
        const sure = await this.#confirm(picture, face, views[0].side);
        if (sure && (!accept || await accept(sure))) faces.push(sure);
      }
      const distinct = suppress(faces);
      if (distinct.length > 0) return distinct.sort((a, b) => b.side - a.side);
    }
    return [];
  }

  /** Releases the network. */
  [Symbol.dispose](): void {
    this.#network.release();
  }

  /** A doubtful or small face, looked at from near; undefined when it is none after all. */
  async #confirm(
    picture: Picture,
    face: DetectedFace,
    viewSide: number,
  ): Promise<DetectedFace | undefined> {
    const clear = face.score >= CERTAIN && face.side > viewSide / 6;
    if (clear) return face;
    const near = {
      x: face.x,
      y: face.y,
      side: 2.5 * face.side,
      angle: rollOf(face),
    };
    const seen = suppress(await this.#look(picture, near, CONFIRMED));
    return seen.find((again) => overlap(again, face) > 0.2);
  }

  async #look(
    picture: Picture,
    view: Region,
    minScore: number,
  ): Promise<DetectedFace[]> {
    const device = this.#network.device;
    const pixels = sampleRegion(picture, view, SIZE, "black");
    // The network was trained on [-1, 1].
    for (let k = 0; k < pixels.length; k++) pixels[k] = pixels[k] / 127.5 - 1;
    using _scope = device.scope();
    const x = device.tensor(pixels, [1, 3, SIZE, SIZE]);
    const outputs = device.withoutTape(() => this.#network.run(x));
    const values = await device.read(...outputs);
    const find = (rows: number, columns: number) =>
      values[
        outputs.findIndex(({ shape }) =>
          shape[1] === rows && shape[2] === columns
        )
      ];
    return [FINE, COARSE].flatMap((grid) => {
      const rows = grid.anchors.length;
      return decode(grid, find(rows, 1), find(rows, 16), view, minScore);
    });
  }
}

/** Radians by which the line from the right to the left eye is turned clockwise. */
export function rollOf({ keypoints: [right, left] }: DetectedFace): number {
  return Math.atan2(left[1] - right[1], left[0] - right[0]);
}

/** Candidates that are looked at again, at most. */
const MOST_FACES = 12;

/** Score from which a face that is not small needs no second look. */
const CERTAIN = 0.75;

/** Score that the second look must reach. */
const CONFIRMED = 0.6;

/** Pixels of the network's input. */
const SIZE = 256;

/** Anchors: the centres of the cells, several to a cell. */
interface Grid {
  readonly anchors: readonly Point[];
}

/** Row by row, in pixels of the network's input. */
function grid(stride: number, perCell: number): Grid {
  const cells = SIZE / stride;
  const anchors: Point[] = [];
  for (let cell = 0; cell < cells * cells; cell++) {
    const x = (cell % cells + 0.5) * stride;
    const y = (Math.floor(cell / cells) + 0.5) * stride;
    for (let k = 0; k < perCell; k++) anchors.push([x, y]);
  }
  return { anchors };
}

const FINE = grid(16, 2);
const COARSE = grid(32, 6);

/** From rows of (dx, dy, width, height, six key points), relative to the anchors. */
function decode(
  { anchors }: Grid,
  logits: Float32Array,
  boxes: Float32Array,
  view: Region,
  minScore: number,
): DetectedFace[] {
  const faces: DetectedFace[] = [];
  anchors.forEach(([ax, ay], row) => {
    const score = 1 / (1 + Math.exp(-logits[row]));
    if (score < minScore) return;
    const values = boxes.subarray(16 * row, 16 * row + 16);
    const point = (k: number) =>
      fromRegion(view, (ax + values[k]) / SIZE, (ay + values[k + 1]) / SIZE);
    const [x, y] = point(0);
    faces.push({
      x,
      y,
      side: Math.max(values[2], values[3]) / SIZE * view.side,
      score,
      keypoints: [4, 6, 8, 10, 12, 14].map(point),
    });
  });
  return faces;
}

/** Share of their union that two squares must have in common to be one face. */
const SAME_FACE = 0.3;

/** MediaPipe's weighted suppression: a face is the mean of its overlapping candidates. */
function suppress(candidates: readonly DetectedFace[]): DetectedFace[] {
  let left = candidates.toSorted((a, b) => b.score - a.score);
  const faces: DetectedFace[] = [];
  while (left.length > 0) {
    const [best] = left;
    const same = left.filter((face) => overlap(face, best) > SAME_FACE);
    faces.push(average(same));
    left = left.filter((face) => !same.includes(face));
  }
  return faces;
}

function overlap(a: DetectedFace, b: DetectedFace): number {
  const shared = (p: number, q: number) =>
    Math.max(
      0,
      Math.min(p + a.side / 2, q + b.side / 2) -
        Math.max(p - a.side / 2, q - b.side / 2),
    );
  const both = shared(a.x, b.x) * shared(a.y, b.y);
  return both / (a.side ** 2 + b.side ** 2 - both);
}

function average(faces: readonly DetectedFace[]): DetectedFace {
  const total = faces.reduce((sum, { score }) => sum + score, 0);
  const mean = (value: (face: DetectedFace) => number) =>
    faces.reduce((sum, face) => sum + face.score * value(face), 0) / total;
  return {
    x: mean(({ x }) => x),
    y: mean(({ y }) => y),
    side: mean(({ side }) => side),
    score: Math.max(...faces.map(({ score }) => score)),
    keypoints: faces[0].keypoints.map((_, k): Point => [
      mean(({ keypoints }) => keypoints[k][0]),
      mean(({ keypoints }) => keypoints[k][1]),
    ]),
  };
}

/** What to show the network, in the order of trying; see the module's comment. */
function* viewsOf(
  { width, height }: Picture,
  thorough: boolean,
): Generator<Region[]> {
  const side = Math.max(width, height);
  const whole = { x: width / 2, y: height / 2, side, angle: 0 };
  yield [whole];
  if (!thorough) return;
  yield [{ ...whole, side: 1.6 * side }];
  yield [-Math.PI / 4, Math.PI / 4, Math.PI / 2, -Math.PI / 2, Math.PI]
    .map((angle) => ({ ...whole, side: 1.2 * side, angle }));
  // In smaller tiles, faces would be too coarse for anything.
  for (const parts of [2, 4]) {
    if (side / parts >= SIZE) yield tiles(width, height, side / parts);
  }
}

/** Squares that overlap by half, so that every small face lies whole in one of them. */
function tiles(width: number, height: number, side: number): Region[] {
  const centres = (length: number) => {
    const count = Math.max(1, Math.ceil(2 * length / side) - 1);
    return Array.from(
      { length: count },
      (_, k) =>
        count === 1 ? length / 2 : side / 2 + k * (length - side) / (count - 1),
    );
  };
  return centres(height).flatMap((y) =>
    centres(width).map((x) => ({ x, y, side, angle: 0 }))
  );
}
