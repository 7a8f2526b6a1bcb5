/** Expressions by name: how they are written, what they do to a motion and to a portrait. */
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  ANIMATE_FLAGS,
  animateOptions,
} from "../pipeline/cli/animate_flags.ts";
import { parseFlags } from "../pipeline/cli/args.ts";
import { UsageError } from "../pipeline/errors.ts";
import { CANONICAL, MIRROR, RIGID_POINTS } from "../pipeline/face/canonical.ts";
import { fitSimilarity } from "../pipeline/face/linear.ts";
import { BUNDLED_DRIVING } from "../pipeline/options.ts";
import {
  type Expression,
  EXPRESSION_NAMES,
  type ExpressionName,
  parseAssignments,
  parseExpression,
} from "../pipeline/reenactment/expression_control.ts";
import {
  addExpression,
  expressionOffsets,
  heldExpression,
} from "../pipeline/reenactment/expression_motion.ts";
import {
  drivingCamera,
  type MotionFrame,
} from "../pipeline/reenactment/motion.ts";
import {
  formatMotion,
  parseMotion,
} from "../pipeline/reenactment/motion_file.ts";
import { deform } from "../pipeline/transfer/facemesh/deform.ts";
import { rasterise } from "../pipeline/transfer/facemesh/reference.ts";
import { EYES } from "../pipeline/transfer/facemesh/topology.ts";
import {
  assertNear,
  astronaut,
  BLINK,
  SMILE,
  smilingMotion,
} from "./support/geometry.ts";

/** The person's right and left corner of the mouth, left and right in the picture. */
const RIGHT_CORNER = 61, LEFT_CORNER = 291;

function face(expression: Expression): MotionFrame {
  return heldExpression(expression, 1, 12).frames[0];
}

/** Movement of a point from the resting face: right, up, to the viewer. */
function movement(expression: Expression, point: number): number[] {
  return [0, 1, 2].map((k) =>
    face(expression).points[3 * point + k] - CANONICAL[3 * point + k]
  );
}

function rises(values: readonly number[]): boolean {
  return values.every((v, k) => k === 0 || v > values[k - 1]);
}

function complaint(text: string): string {
  const { message } = assertThrows(
    () => parseExpression(text, "--expression"),
    UsageError,
  );
  assert(/^\S.*\.$/.test(message), `not a sentence: ${message}`);
  return message;
}

// How they are written

Deno.test("an expression is a list of names and strengths", () => {
  assertEquals(
    parseExpression("jawOpen=0.6, smile=-.8", "--expression"),
    { jawOpen: 0.6, smile: -0.8 },
  );
  assertEquals(
    [...parseAssignments("0=1.5,7=-2", "--flame-exp")],
    [["0", 1.5], ["7", -2]],
  );
});

Deno.test("an unknown expression is refused with the known ones and the likeliest", () => {
  const message = complaint("jawopen=1");
  assertStringIncludes(message, "did you mean jawOpen?");
  assertStringIncludes(message, EXPRESSION_NAMES.join(", "));
  assertStringIncludes(complaint("laugh=1"), "does not know laugh; known are");
  assertStringIncludes(complaint("constructor=1"), "does not know constructor");
});

Deno.test("a strength beyond 2 is refused with the range", () => {
  assertStringIncludes(complaint("smile=2.5"), "smile=2.5 is too strong");
  assertStringIncludes(complaint("smile=-3"), "from -2 to 2");
});

Deno.test("what is no assignment is refused with the part that is wrong", () => {
  assertStringIncludes(complaint("smile"), '"smile" is not NAME=VALUE');
  assertStringIncludes(complaint("smile=wide"), '"smile=wide" is not');
  assertStringIncludes(complaint("smile=1,,blink=1"), '"" is not');
  assertStringIncludes(complaint("smile=1,smile=2"), "smile is given twice");
});

// What they do to a face

Deno.test("the mouth opens further with jawOpen", () => {
  const openings = [0, 0.2, 0.4, 0.6, 0.8, 1, 1.5, 2]
    .map((jawOpen) => face({ jawOpen }).mouthOpening);
  assert(rises(openings));
  assertAlmostEquals(openings[5] - openings[0], 0.35, 0.005);
});

Deno.test("the corners of the mouth go up and out with smile, down with frown", () => {
  for (const [point, out] of [[RIGHT_CORNER, -1], [LEFT_CORNER, 1]]) {
    const far = [0, 0.5, 1, 2].map((smile) => movement({ smile }, point));
    assert(rises(far.map(([x]) => out * x)));
    assert(rises(far.map(([, y]) => y)));
    assert(movement({ frown: 1 }, point)[1] < -0.005);
  }
});

Deno.test("blink shuts the lids and eyeWide opens them", () => {
  const rest = face({}).eyeOpenings;
  const ratios = (expression: Expression) =>
    face(expression).eyeOpenings.map((v, k) => v / rest[k]);
  for (const eye of [0, 1]) {
    const shut = [0, 0.25, 0.5, 0.75, 1].map((blink) => ratios({ blink })[eye]);
    assert(rises(shut.toReversed()));
    // from half an opening on, the transfer draws a shut eye
    assert(shut[4] <= 0.51);
    assert(ratios({ eyeWide: 1 })[eye] > 1.15);
  }
});

Deno.test("lids that a performance has shut do not open again by blinking", () => {
  const motion = smilingMotion();
  const shut = addExpression(motion, { blink: 2 }).frames[BLINK];
  for (const eye of [0, 1]) {
    assert(shut.eyeOpenings[eye] < 0.3 * motion.rest.eyeOpenings[eye]);
  }
});

Deno.test("brows go up and down, lips narrow and widen, the mouth moves aside", () => {
  assert(movement({ browUp: 1 }, 105)[1] > 0.005);
  assert(movement({ browDown: 1 }, 107)[1] < -0.005);
  assert(movement({ pucker: 1 }, LEFT_CORNER)[0] < -0.005);
  assert(movement({ stretch: 1 }, LEFT_CORNER)[0] > 0.005);
  assert(movement({ upperLipUp: 1 }, 0)[1] > 0.005);
  assert(movement({ lowerLipDown: 1 }, 17)[1] < -0.005);
  // the person's left is right in the picture
  assert(movement({ mouthLeft: 1 }, 13)[0] > 0.005);
  assert(movement({ mouthRight: 1 }, 13)[0] < -0.005);
});

Deno.test("expressions of the mouth leave eyes and brows alone, and the other way round", () => {
  const upper = [105, 334, ...EYES.flatMap((eye) => eye.upper)];
  for (const name of ["jawOpen", "smile", "pucker", "mouthLeft"]) {
    for (const i of upper) {
      assertNear(movement({ [name]: 1 }, i), [0, 0, 0], 1e-9);
    }
  }
  for (const name of ["browUp", "browDown", "blink", "eyeWide"]) {
    for (const i of [0, 13, 14, 17, RIGHT_CORNER, LEFT_CORNER, 152]) {
      assertNear(movement({ [name]: 1 }, i), [0, 0, 0], 1e-9);
    }
  }
});

Deno.test("both halves of the face do the same, but for left and right", () => {
  const reflection: Partial<Record<ExpressionName, ExpressionName>> = {
    mouthLeft: "mouthRight",
    mouthRight: "mouthLeft",
  };
  for (const name of EXPRESSION_NAMES) {
    const offsets = expressionOffsets({ [name]: 1 });
    const other = expressionOffsets({ [reflection[name] ?? name]: 1 });
    const mirrored = other.map((_, at) =>
      (at % 3 === 0 ? -1 : 1) * other[3 * MIRROR[Math.floor(at / 3)] + at % 3]
    );
    assertNear(offsets, mirrored, 1.01e-5);
  }
});

Deno.test("no expression turns, shifts or scales the head", () => {
  for (const name of EXPRESSION_NAMES) {
    const { points } = face({ [name]: 1 });
    const fit = fitSimilarity(points, CANONICAL, RIGID_POINTS);
    const trace = fit.rotation[0] + fit.rotation[4] + fit.rotation[8];
    const degrees = 180 / Math.PI * Math.acos(Math.min(1, (trace - 1) / 2));
    assert(degrees < 1.5, `${name} turns the head by ${degrees}`);
    assertAlmostEquals(fit.scale, 1, 0.015);
  }
});

// What they do to a motion

Deno.test("an expression of zeros changes nothing", () => {
  const motion = smilingMotion();
  const same = addExpression(motion, { jawOpen: 0, smile: 0, blink: 0 });
  motion.frames.forEach((frame, k) => {
    assertNear(same.frames[k].points, frame.points, 1e-12);
    assertEquals(same.frames[k].angles, frame.angles);
  });
});

Deno.test("an expression comes on top of the performance, whose head turns as before", () => {
  const motion = smilingMotion();
  const more = addExpression(motion, { jawOpen: 0.5 });
  assertEquals(more.rest, motion.rest);
  assertEquals(
    more.frames.map(({ angles }) => angles),
    motion.frames.map(({ angles }) => angles),
  );
  more.frames.forEach((frame, k) =>
    assert(frame.mouthOpening > motion.frames[k].mouthOpening + 0.1)
  );
});

Deno.test("with scale 0 an expression is all that is left of the performance", () => {
  const still = addExpression(smilingMotion(), { smile: 1 }, 0);
  const [first, ...others] = still.frames;
  for (const frame of others) assertNear(frame.points, first.points, 1e-12);
  assert(!Object.is(first.angles.yaw, still.frames[SMILE].angles.yaw));
});

Deno.test("a held expression is the same in every frame and survives its file", () => {
  const motion = heldExpression({ jawOpen: 0.6, smile: 0.8 }, 3, 24);
  assertEquals([motion.frames.length, motion.fps], [3, 24]);
  const read = parseMotion(formatMotion(motion), "a file");
  read.frames.forEach((frame) => {
    assertNear(frame.points, motion.frames[0].points, 1e-4);
  });
  assertAlmostEquals(drivingCamera(motion, 0, motion.frames[0].angles)[0], 1);
});

// What they do to a portrait

Deno.test("jawOpen opens the portrait's mouth, and a negative one shuts it", async () => {
  const { portrait, source } = await astronaut(128);
  const hole = (jawOpen: number) => {
    const motion = heldExpression({ jawOpen }, 1, 12);
    const frame = rasterise(
      portrait.picture,
      source,
      deform(source, motion, 0),
    );
    return frame.holeMask.reduce((sum, v) => sum + v, 0);
  };
  const holes = [0, 0.3, 0.6, 1].map(hole);
  assertEquals(holes[0], 0);
  assert(rises(holes));
  const gap = (jawOpen: number) => {
    const points = deform(source, heldExpression({ jawOpen }, 1, 12), 0);
    return points[3 * 14 + 1] - points[3 * 13 + 1];
  };
  assert(gap(-0.5) < 0.4 * gap(0));
});

// On the command line

Deno.test("an expression without a performance is all that the face does", () => {
  const parse = (...args: string[]) =>
    animateOptions(parseFlags(ANIMATE_FLAGS, args));
  const alone = parse("--expression", "jawOpen=0.6,smile=0.8");
  assertEquals(alone.expression, { jawOpen: 0.6, smile: 0.8 });
  assertEquals([alone.driving, alone.pose], [undefined, "source"]);
  assertEquals(parse("--expression=smile=1", "--pose=driving").pose, "driving");
  const driven = parse(
    ...["--expression", "smile=1", "--driving", BUNDLED_DRIVING],
  );
  assertEquals([driven.driving, driven.pose], [BUNDLED_DRIVING, "driving"]);
});

Deno.test("flags that an expression contradicts are refused", () => {
  const refuse = (...args: string[]) =>
    assertThrows(
      () => animateOptions(parseFlags(ANIMATE_FLAGS, args)),
      UsageError,
    ).message;
  assertStringIncludes(
    refuse("--expression", "blink=1", "--eyes", "keep"),
    "--eyes keep holds the lids that --expression blink moves",
  );
  assertStringIncludes(
    refuse("--expression", "smile=1", "--start", "2"),
    "give one with --driving",
  );
  assertStringIncludes(
    refuse("--expression", "2"),
    '"2" is not NAME=VALUE with a number',
  );
});
