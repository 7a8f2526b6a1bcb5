/** @file Who the face networks say a face is. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  type FaceDescription,
  identitySimilarity,
} from "../pipeline/face/description.ts";
import { rollOf } from "../pipeline/face/detect.ts";
import { findFace } from "../pipeline/face/find.ts";
import { regionOfFace } from "../pipeline/face/landmarks.ts";
import { readPicture } from "../pipeline/media/picture.ts";
import { RENDERS, renders, test } from "./support/faces.ts";

test("a head is more like itself, turned and smiling, than like others", async (studio) => {
  const described: (FaceDescription & { head: number })[] = [];
  for (const { file, head } of renders) {
    const picture = await readPicture(RENDERS + file);
    const { landmarks } = await findFace(studio, picture, file);
    described.push({
      head,
      ...await studio.describer.describe(picture, landmarks.points),
    });
  }
  const pairs = described.flatMap((a, k) =>
    described.slice(0, k).map((b) => ({
      same: a.head === b.head,
      s: identitySimilarity(a.descriptor, b.descriptor),
    }))
  );
  const average = (same: boolean) => {
    const values = pairs.filter((pair) => pair.same === same);
    return values.reduce((sum, { s }) => sum + s, 0) / values.length;
  };
  assert(
    average(true) > average(false) + 0.1,
    `${average(true)} against ${average(false)}`,
  );
  assertAlmostEquals(
    identitySimilarity(described[0].descriptor, described[0].descriptor),
    1,
    1e-6,
  );
});

test("the astronaut is described as a woman of middle age", async ({ detector, landmarks, describer, astronaut }) => {
  const [face] = await detector.detect(astronaut);
  assert(Math.abs(rollOf(face)) < 0.2);
  const { points } = await landmarks.find(astronaut, regionOfFace(face));
  const { age, male, descriptor } = await describer.describe(astronaut, points);
  assert(age > 25 && age < 50 && male < 0.5, `${age} ${male}`);
  assertEquals(descriptor.length, 1024);
});
