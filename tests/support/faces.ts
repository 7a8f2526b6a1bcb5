/** @file What the tests of the face networks share: one device with the networks, and pictures. */
import { type Device, openDevice } from "../../engine/mod.ts";
import { FaceDescriber } from "../../pipeline/face/description.ts";
import { FaceDetector } from "../../pipeline/face/detect.ts";
import { LandmarkFinder } from "../../pipeline/face/landmarks.ts";
import { type Region, sampleRegion } from "../../pipeline/face/region.ts";
import { type Picture, readPicture } from "../../pipeline/media/picture.ts";

const here = new URL(".", import.meta.url).pathname;
export const ASTRONAUT = `${here}../../pipeline/assets/astronaut.png`;
export const RENDERS = `${here}../data/renders/`;

/** Everything that the tests share, made once; the process ends with it. */
export interface Studio {
  device: Device;
  detector: FaceDetector;
  landmarks: LandmarkFinder;
  describer: FaceDescriber;
  astronaut: Picture;
}

let studio: Promise<Studio> | undefined;

export function openStudio(): Promise<Studio> {
  return studio ??= (async () => {
    const device = await openDevice();
    return {
      device,
      detector: await FaceDetector.load(device),
      landmarks: await LandmarkFinder.load(device),
      describer: await FaceDescriber.load(device),
      astronaut: await readPicture(ASTRONAUT),
    };
  })();
}

/** A test that uses the shared device. */
export function test(
  name: string,
  body: (studio: Studio) => Promise<void>,
): void {
  Deno.test({
    name,
    // The device outlives the test.
    sanitizeResources: false,
    sanitizeOps: false,
    fn: async () => await body(await openStudio()),
  });
}

export const FACE: Region = { x: 225, y: 126, side: 160, angle: 0.05 };

/** A picture that shows a region of another. */
export function view(picture: Picture, region: Region, size: number): Picture {
  const planes = sampleRegion(picture, region, size);
  const data = new Uint8Array(3 * size * size);
  const plane = size * size;
  for (let k = 0; k < plane; k++) {
    for (let c = 0; c < 3; c++) {
      data[3 * k + c] = Math.round(planes[c * plane + k]);
    }
  }
  return { width: size, height: size, data };
}

/** A grey picture with another one pasted in. */
export function pasted(
  parts: [Picture, number, number][],
  width: number,
  height: number,
): Picture {
  const data = new Uint8Array(3 * width * height).fill(128);
  for (const [part, left, top] of parts) {
    for (let row = 0; row < part.height; row++) {
      data.set(
        part.data.subarray(3 * row * part.width, 3 * (row + 1) * part.width),
        3 * ((top + row) * width + left),
      );
    }
  }
  return { width, height, data };
}

export interface Render {
  file: string;
  head: number;
  cam2world: number[];
  landmarks: [number, number, number][];
}

export const renders: Render[] = JSON.parse(
  Deno.readTextFileSync(`${RENDERS}renders.json`),
);

/** World points in the 320 x 320 render. */
export function project(
  { cam2world: m, landmarks }: Render,
): [number, number][] {
  return landmarks.map((p) => {
    const d = p.map((v, k) => v - m[4 * k + 3]);
    const [x, y, z] = [0, 1, 2].map((k) =>
      m[k] * d[0] + m[4 + k] * d[1] + m[8 + k] * d[2]
    );
    return [320 * (4.2647 * x / z + 0.5), 320 * (4.2647 * y / z + 0.5)];
  });
}
