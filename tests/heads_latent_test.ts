/** Latents of synthetic heads: how they are drawn and what they say. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { MOUTH } from "../training/heads/expression.ts";
import {
  distinctStyle,
  normalShare,
  recipeOf,
} from "../training/heads/latent.ts";
import {
  lessonHead,
  sampleCameras,
  sampleHeads,
} from "../training/heads/mod.ts";
import { skinPlaces, skinShares } from "../training/heads/skins.ts";
import { latentOf, plainWardrobe } from "./support/heads.ts";

const DISTANCE = 2.7;

const mean = (x: Float32Array) => x.reduce((a, b) => a + b, 0) / x.length;

Deno.test("Random heads are standard normals and random cameras look at the head from 2.7 away", () => {
  const z = sampleHeads(1, 400);
  assertEquals(z, sampleHeads(1, 400));
  assertAlmostEquals(mean(z), 0, 0.02);
  assertAlmostEquals(mean(z.map((x) => x * x)), 1, 0.05);
  const labels = sampleCameras(1, 400);
  const yaws = Array.from({ length: 400 }, (_, k) => {
    const [x, y, z] = [3, 7, 11].map((i) => labels[25 * k + i]);
    assertAlmostEquals(Math.hypot(x, y, z), DISTANCE, 1e-5);
    return Math.atan2(x, z);
  });
  assert(yaws.every((yaw) => Math.abs(yaw) <= 0.8 + 1e-6));
  const spread = Math.sqrt(mean(Float32Array.from(yaws, (yaw) => yaw * yaw)));
  assertAlmostEquals(
    spread,
    Math.sqrt(0.75 * 0.3 ** 2 + 0.25 * 0.75 ** 2 / 3),
    0.03,
  );
});

const length = (z: Float32Array) => Math.hypot(...z);

Deno.test("Heads to learn from are as long as latents are on average, and half of them move their mouths much", () => {
  const lessons = Array.from({ length: 400 }, (_, k) => lessonHead(k));
  for (const z of lessons) assertAlmostEquals(length(z), 6, 1e-4);
  const of = (odd: number, numbers: readonly number[]) =>
    mean(
      Float32Array.from(
        lessons.filter((_, k) => k % 2 === odd),
        (z) => length(z.filter((_, k) => numbers.includes(k))),
      ),
    );
  const lively = of(0, MOUTH) / of(1, MOUTH);
  const eyes = of(0, [14, 15, 18]) / of(1, [14, 15, 18]);
  assertAlmostEquals(lively, 1.68, 0.1);
  assertAlmostEquals(eyes, 0.84, 0.06);
});

Deno.test("Heads to learn from wear the hair that they were drawn with, and not nearly another one", () => {
  for (let k = 0; k < 200; k++) {
    const drawn = sampleHeads(k, 1);
    const [x, y] = distinctStyle(drawn[24], drawn[25]);
    const style = (pair: number[]) =>
      recipeOf(latentOf({ 24: pair[0], 25: pair[1] })).style;
    assertEquals(style([x, y]), style([drawn[24], drawn[25]]));
    assert(Math.hypot(x, y) > 0.8 - 1e-6);
    const turned = (angle: number) => [
      x * Math.cos(angle) - y * Math.sin(angle),
      x * Math.sin(angle) + y * Math.cos(angle),
    ];
    // a sector of eleven has 0.57 of a radian
    for (const angle of [-0.08, 0.08]) {
      assertEquals(style(turned(angle)), style([x, y]));
    }
  }
});

Deno.test("Shares of the standard normal distribution are right to nine digits", () => {
  const known = [[0, 0.5], [1, 0.8413447460685429], [-2, 0.022750131948179195]];
  for (const [x, share] of known) {
    assertAlmostEquals(normalShare(x), share, 1e-9);
  }
  assertEquals([normalShare(-9), normalShare(9)], [0, 1]);
});

Deno.test("The circle of hair styles goes through all of them once", () => {
  const styles = Array.from({ length: 110 }, (_, k) => {
    const angle = 2 * Math.PI * (k + 0.5) / 110 - Math.PI;
    return recipeOf(latentOf({ 24: Math.cos(angle), 25: Math.sin(angle) }))
      .style;
  });
  assertEquals(
    styles,
    Array.from({ length: 110 }, (_, k) => Math.floor(k / 10)),
  );
});

Deno.test("A head at the place of a skin wears that skin", () => {
  const { skins } = plainWardrobe();
  const places = skinPlaces(skins);
  for (const [k, place] of places.entries()) {
    const shares = skinShares(places, place);
    assertAlmostEquals(shares.reduce((a, b) => a + b), 1, 1e-9);
    assertEquals(shares.indexOf(Math.max(...shares)), k);
  }
});
