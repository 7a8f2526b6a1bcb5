/** What a run shows while it lasts, and how Ctrl-C stops it. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { stripAnsiCode } from "@std/fmt/colors";
import { join } from "@std/path";
import { clock, Eta } from "../pipeline/cli/eta.ts";
import { type Terminal, TerminalProgress } from "../pipeline/cli/progress.ts";
import { denoRun, type Outcome, ROOT, start } from "./support/process.ts";

// Ctrl-C

/** A command that works in steps of 20 ms, as a process of its own. */
async function steppingCommand(
  body: string,
): Promise<AsyncDisposable & { path: string }> {
  const folder = await Deno.makeTempDir({ prefix: "pantomime-" });
  const path = join(folder, "command.ts");
  await Deno.writeTextFile(
    path,
    `import { runAsMain } from "${ROOT}pipeline/cli/main.ts";
    const wait = (time: number) => new Promise((done) => setTimeout(done, time));
    await runAsMain({ name: "stepping", summary: "", flags: {}, examples: [],
      async run(_values: unknown, context: any) { ${body} } });`,
  );
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

async function interrupt(
  path: string,
  times: number,
  pause = 100,
): Promise<Outcome> {
  const child = new Deno.Command(Deno.execPath(), {
    args: denoRun(path),
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [first, second] = child.stdout.tee();
  const reader = first.getReader();
  await reader.read(); // it has begun
  for (let time = 0; time < times; time++) {
    child.kill("SIGINT");
    await new Promise((done) => setTimeout(done, pause));
  }
  const texts = Promise.all([
    new Response(second).text(),
    new Response(child.stderr).text(),
  ]);
  while (!(await reader.read()).done);
  const [out, err] = await texts;
  return { code: (await child.status).code, out, err };
}

Deno.test("Ctrl-C stops at the next step, keeps what was finished and exits with 130", async () => {
  await using command = await steppingCommand(`
    for (let step = 0; step < 500; step++) {
      if (context.signal.aborted) { context.print("kept " + (step > 0)); return; }
      await wait(20);
      if (step === 0) context.print("begun");
    }`);
  const { code, out, err } = await interrupt(command.path, 1);
  assertEquals([code, out], [130, "begun\nkept true\n"]);
  assertStringIncludes(err, "Stopping after this step");
});

Deno.test("one Ctrl-C that deno task hands on a second time does not cut the step short", async () => {
  await using command = await steppingCommand(`
    context.print("begun");
    while (!context.signal.aborted) await wait(20);
    await wait(300);
    context.print("finished the step");`);
  const { code, out } = await interrupt(command.path, 2);
  assertEquals([code, out], [130, "begun\nfinished the step\n"]);
});

Deno.test("what fails because of Ctrl-C is not reported as a failure", async () => {
  await using command = await steppingCommand(`
    context.print("begun");
    while (true) { await wait(20); context.signal.throwIfAborted(); }`);
  const { code, err } = await interrupt(command.path, 1);
  assertEquals(code, 130);
  assertStringIncludes(err, "Stopped; what was finished is kept");
  assert(!err.includes("error"), err);
});

Deno.test("a second Ctrl-C ends a run that does not come to a step", async () => {
  await using command = await steppingCommand(`
    context.print("begun");
    while (true) await wait(20);`);
  assertEquals((await interrupt(command.path, 2, 700)).code, 130);
});

Deno.test("an error that nobody awaited is explained as well", async () => {
  await using command = await steppingCommand(`
    Promise.reject(new Error("lost in the post"));
    await wait(1000);`);
  const { code, err } = await start([command.path]);
  assertEquals(code, 1);
  assertStringIncludes(
    err,
    "error: Something went wrong that Pantomime does not know (lost in",
  );
  assertEquals(err.trim().split("\n").length, 1);
});

// Progress

function terminal(redraws: boolean): Terminal & { text: string; time: number } {
  return {
    text: "",
    time: 0,
    redraws,
    columns: () => 100,
    write(text) {
      this.text += text;
    },
    writeResult(text) {
      this.text += text;
    },
    now() {
      return this.time;
    },
  };
}

Deno.test("in a file, progress is a line every ten seconds, with the time left", () => {
  const screen = terminal(false);
  const stage = new TerminalProgress(screen).stage("Tuning", 100);
  for (let step = 1; step <= 100; step++) {
    screen.time += 1000;
    stage.update(step, "loss 0.5");
  }
  stage.finish("loss 0.1");
  const lines = screen.text.trim().split("\n");
  assertEquals(lines[0], "Tuning ...");
  assertEquals(lines[1], "Tuning 10/100, 1:30 left, loss 0.5");
  assertEquals(
    stripAnsiCode(lines.at(-1)!),
    "Tuning  1:40  loss 0.1",
  );
  assertEquals(lines.length, 12);
});

Deno.test("on a terminal, progress is a bar on one line, and notes stand above it", () => {
  const screen = terminal(true);
  const progress = new TerminalProgress(screen);
  const stage = progress.stage("Tuning", 4);
  screen.time += 1000;
  stage.update(2);
  assertStringIncludes(screen.text, "█".repeat(12) + "░".repeat(12));
  progress.note("two faces");
  assertStringIncludes(screen.text, "\r\x1b[Ktwo faces\n");
  stage.finish();
  assertEquals(screen.text.split("\n").length, 3);
});

Deno.test("the time left follows the pace of the last half minute, not a slow beginning", () => {
  const eta = new Eta(200, 0);
  assertEquals(eta.left(0), undefined);
  eta.report(1, 60_000); // compiling
  for (let step = 2; step <= 100; step++) {
    eta.report(step, 60_000 + step * 1000);
  }
  assertEquals(eta.left(160_000), 100_000);
  assertEquals(eta.left(170_000), 90_000);
});

Deno.test("times read as minutes and seconds, and as hours when there are any", () => {
  assertEquals([400, 59_600, 3_847_000].map(clock), [
    "0:00",
    "1:00",
    "1:04:07",
  ]);
});
