/** The command line: flags, help and errors. */
import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { join } from "@std/path";
import {
  DeviceLostError,
  NoAdapterError,
  OutOfMemoryError,
} from "../engine/errors.ts";
import { ANIMATE } from "../pipeline/cli/animate.ts";
import {
  ANIMATE_FLAGS,
  animateOptions,
} from "../pipeline/cli/animate_flags.ts";
import { flagName, parseFlags } from "../pipeline/cli/args.ts";
import { explain } from "../pipeline/cli/explain.ts";
import { helpText } from "../pipeline/cli/help.ts";
import { PantomimeError, UsageError } from "../pipeline/errors.ts";
import { defaultAnimateOptions } from "../pipeline/options.ts";
import { WeightsError } from "../weights/errors.ts";
import { ROOT, start } from "./support/process.ts";

const animate = (...flags: string[]) =>
  start([join(ROOT, "pipeline/cli/animate.ts"), ...flags]);

function parse(...args: string[]): ReturnType<typeof animateOptions> {
  return animateOptions(parseFlags(ANIMATE_FLAGS, args));
}

function complaint(...args: string[]): string {
  const { message, exitCode } = assertThrows(
    () => parse(...args),
    UsageError,
  ) as UsageError;
  assertEquals(exitCode, 2);
  assert(
    /\S[.?]$/.test(message) && !message.includes("\n"),
    `not a sentence: ${message}`,
  );
  return message;
}

// Flags

Deno.test("without flags the bundled portrait follows the bundled motion", () => {
  const options = parse();
  assertEquals(options, defaultAnimateOptions());
  assert(options.source.endsWith("pipeline/assets/astronaut.png"));
  assert(options.driving?.endsWith("pipeline/assets/motion.json"));
  assertEquals([options.out, options.quality], ["result", "default"]);
});

Deno.test("every flag reaches the options, with a space or an equals sign", () => {
  const options = parse(
    ...[
      "--quality=paper",
      "--face",
      "2",
      "--frames",
      "48",
      "--fps=12.5",
      "--start",
      "0.5",
    ],
    ...[
      "--end",
      "3",
      "--eyes",
      "keep",
      "--smoothing",
      "off",
      "--expression-scale",
      "1.2",
    ],
    ...[
      "--pose=source",
      "--orbit",
      "-15",
      "--resume",
      "--seed",
      "7",
    ],
    ...["--w-steps", "100", "--w-next-steps", "10", "--tune-steps", "0"],
  );
  assertEquals(options, {
    ...defaultAnimateOptions(),
    ...{
      quality: "paper",
      face: 2,
      frames: 48,
      fps: 12.5,
      start: 0.5,
      end: 3,
      eyes: "keep",
    },
    ...{
      smoothing: false,
      expressionScale: 1.2,
      pose: "source",
      orbit: -15,
    },
    ...{ resume: true, seed: 7, wSteps: 100, wNextSteps: 10, tuneSteps: 0 },
  });
  assertEquals(parse("--pose-scale", "0").poseScale, 0);
});

Deno.test("a path is looked for where the user stands, not where the task runs", async () => {
  const { code, err } = await start(
    [join(ROOT, "pipeline/cli/animate.ts"), "--source", "me.jpg"],
    { INIT_CWD: "/home/nobody/pictures" },
  );
  assertEquals(code, 1);
  assertStringIncludes(err, '"/home/nobody/pictures/me.jpg"');
});

Deno.test("an unknown flag is refused, with the likeliest one meant", () => {
  assertStringIncludes(
    complaint("--sorce", "me.jpg"),
    "--sorce; did you mean --source?",
  );
  assertStringIncludes(complaint("--wsteps=4"), "did you mean --w-steps?");
  assertStringIncludes(
    complaint("--expresion-scale", "2"),
    "did you mean --expression-scale?",
  );
  assertStringIncludes(
    complaint("--colour"),
    "There is no flag --colour; --help lists",
  );
  assertStringIncludes(complaint("-x"), "There is no flag -x");
});

Deno.test("a value out of range is refused with the range", () => {
  assertStringIncludes(
    complaint("--face", "0"),
    "--face 0 will not do: give a whole number from 1",
  );
  assertStringIncludes(
    complaint("--frames", "2.5"),
    "a whole number from 1 to 10000",
  );
  assertStringIncludes(complaint("--orbit", "-90"), "a number from -60 to 60");
  assertStringIncludes(complaint("--seed", "-1"), "from 0 to 4294967295");
  assertStringIncludes(complaint("--fps", "fast"), "a number from 1 to 120");
  assertStringIncludes(complaint("--fps", "NaN"), "a number from 1 to 120");
});

Deno.test("a word that a flag does not know is refused with those that it does", () => {
  assertStringIncludes(complaint("--quality", "papr"), "did you mean paper?");
  assertStringIncludes(
    complaint("--quality", "best"),
    "give draft, default or paper.",
  );
  assertStringIncludes(complaint("--smoothing", "yes"), "give on or off.");
});

Deno.test("a flag without its value is refused", () => {
  assertStringIncludes(
    complaint("--source"),
    "--source needs a value: a file or folder",
  );
  assertStringIncludes(
    complaint("--source", "--face", "1"),
    "--source needs a value",
  );
  assertStringIncludes(complaint("--out="), "--out needs a value");
});

Deno.test("a word that belongs to no flag is refused", () => {
  assertStringIncludes(complaint("me.jpg"), '"me.jpg" stands alone');
  assertStringIncludes(
    complaint("--source", "my", "face.jpg"),
    '"face.jpg" stands alone',
  );
  assertStringIncludes(
    complaint("--resume", "me.jpg"),
    '"me.jpg" stands alone',
  );
});

Deno.test("flags that contradict each other are refused", () => {
  assertStringIncludes(
    complaint("--start", "3", "--end", "2"),
    "--end 2 does not come after",
  );
  assertStringIncludes(
    complaint("--avatar", "a", "--source", "b"),
    "exclude each other",
  );
  assertStringIncludes(
    complaint("--avatar", "a", "--generator", "b"),
    "exclude each other",
  );
});

Deno.test("a flag that would do nothing is refused by name", () => {
  const avatar = ["--avatar", "a.safetensors"];
  for (
    const flag of [
      ...["--face=2", "--eyes=keep", "--resume", "--seed=1"],
      ...["--w-steps=9", "--w-next-steps=9", "--tune-steps=9"],
    ]
  ) {
    assertStringIncludes(
      complaint(...avatar, flag),
      `${flag.split("=")[0]} has no effect on an avatar`,
    );
  }
  const smile = ["--expression", "smile=1"];
  for (const flag of ["expression-scale=2", "smoothing=on", "pose-scale=2"]) {
    assertStringIncludes(
      complaint(...smile, `--${flag}`),
      "has no effect on --expression without --driving",
    );
  }
  assertStringIncludes(
    complaint(...smile, "--orbit", "20"),
    "--orbit has no effect on one frame; ask for more with --frames.",
  );
  assertStringIncludes(
    complaint("--pose=source", "--pose-scale=2"),
    "--pose-scale has no effect with --pose source",
  );
  // these do something
  assertEquals(parse(...avatar, "--expression-scale=2").expressionScale, 2);
  assertEquals(parse(...smile, "--orbit=20", "--frames=8").orbit, 20);
});

Deno.test("the help text names every flag, fits a terminal and has examples", () => {
  const text = helpText(ANIMATE);
  for (const option of Object.keys(ANIMATE_FLAGS)) {
    assertStringIncludes(text, flagName(option));
  }
  assertStringIncludes(text, "--quality draft|default|paper");
  assertStringIncludes(
    text,
    "./run animate --source me.jpg --driving clip.mp4",
  );
  for (const line of text.split("\n")) assert(line.length <= 100, line);
});

// Errors

Deno.test("--help exits with 0 and prints to standard output", async () => {
  const { code, out, err } = await animate("--quality", "nonsense", "--help");
  assertEquals([code, err], [0, ""]);
  assertStringIncludes(out, "Usage  ./run animate");
});

Deno.test("wrong usage exits with 2, one sentence and where to find help", async () => {
  const { code, out, err } = await animate("--qualty", "draft");
  assertEquals([code, out], [2, ""]);
  assertEquals(err.trim().split("\n").map((line) => line.trim()), [
    "error: There is no flag --qualty; did you mean --quality?",
    "./run animate --help lists all flags.",
  ]);
});

Deno.test("a missing portrait exits with 1 and one sentence, before anything is set up", async () => {
  const { code, out, err } = await animate("--source", "/no/such/me.jpg");
  assertEquals([code, out], [1, ""]);
  assertEquals(
    err,
    'error: There is no file or folder "/no/such/me.jpg"; check the path.\n',
  );
});

Deno.test("a result folder that cannot be written to exits with 1 and one sentence", async () => {
  const file = join(ROOT, "deno.json");
  const { code, err } = await animate(
    "--driving",
    file,
    "--out",
    join(file, "result"),
  );
  assertEquals(code, 1);
  assertStringIncludes(err, "is a file, not a folder");
  assertEquals(err.trim().split("\n").length, 1);
});

Deno.test("a stack trace is printed only when PANTOMIME_DEBUG asks for it", async () => {
  const args = [
    join(ROOT, "pipeline/cli/animate.ts"),
    "--source",
    "/no/such/me.jpg",
  ];
  assert(!(await start(args)).err.includes("    at "));
  assertStringIncludes(
    (await start(args, { PANTOMIME_DEBUG: "1" })).err,
    "    at ",
  );
});

Deno.test("what the engine reports becomes a sentence with advice", () => {
  const cases: [Error, string][] = [
    [
      new NoAdapterError("No WebGPU adapter answered: install one."),
      "see ./run doctor",
    ],
    [
      new DeviceLostError("The GPU device was lost (reset): open a new one."),
      "--resume",
    ],
    [
      new OutOfMemoryError("The adapter has no memory left: use less."),
      "--quality draft",
    ],
    [new RangeError("Array buffer allocation failed"), "Memory ran out"],
    [
      new WeightsError("Cannot read a.safetensors: it is damaged."),
      "a.safetensors",
    ],
    [
      new PantomimeError("No face was found in me.jpg; use another."),
      "No face was found",
    ],
    [new TypeError("x is undefined\n    at y.ts"), "PANTOMIME_DEBUG=1"],
  ];
  const remedies = { smaller: ANIMATE.smaller, resumable: true };
  for (const [error, says] of cases) {
    const { sentence, exitCode } = explain(error, remedies);
    assertEquals(exitCode, 1);
    assertStringIncludes(sentence, says);
    assert(!sentence.includes("\n") && sentence.endsWith("."), sentence);
  }
  assertStringIncludes(
    explain(cases[1][0], remedies).sentence,
    "The GPU device was lost (reset): close",
  );
  assertStringIncludes(
    explain(cases[2][0], { smaller: "a smaller --batch" }).sentence,
    "use a smaller --batch, or close other programs",
  );
});

Deno.test("a command without --resume and smaller settings is not told to use them", () => {
  const said = [
    explain(new DeviceLostError("The GPU device was lost."), {}),
    explain(new OutOfMemoryError("The adapter has no memory left."), {}),
    explain(new RangeError("Array buffer allocation failed"), {}),
    explain(new Error("whatever"), {}, true),
  ].map(({ sentence }) => sentence);
  assertEquals(said, [
    "The GPU device was lost: close other programs that use the GPU and run again.",
    "The adapter has no memory left: close other programs.",
    "Memory ran out: close other programs.",
    "Stopped; what was finished is kept.",
  ]);
  assertStringIncludes(
    explain(new Error("whatever"), { resumable: true }, true).sentence,
    "--resume goes on from there.",
  );
});
