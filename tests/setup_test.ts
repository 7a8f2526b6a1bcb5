/** The `doctor` command, the `run` script and the test task. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { countTests } from "./run.ts";
import { type Outcome, ROOT, start } from "./support/process.ts";

// Doctor

Deno.test("doctor names adapter, driver, limits, versions and what is optional", async () => {
  const { out } = await start([join(ROOT, "pipeline/cli/doctor.ts"), "--json"]);
  const report = JSON.parse(out);
  const names = Object.values(report).flat().map((finding) =>
    (finding as { name: string }).name
  );
  for (
    const name of [
      "Deno",
      "adapter",
      "driver files",
      "limits",
      "features",
      "ffmpeg",
    ]
  ) {
    assert(names.includes(name), name);
  }
});

Deno.test({
  name: "doctor works without a driver, says what to install and exits with 1",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const { code, out, err } = await start(
      [join(ROOT, "pipeline/cli/doctor.ts")],
      {
        VK_DRIVER_FILES: "/no/such/driver.json",
        DENO_WEBGPU_BACKEND: "vulkan",
      },
    );
    assertEquals([code, err], [1, ""]);
    assertStringIncludes(out, "✗ adapter");
    assertStringIncludes(out, "libvulkan1 and mesa-vulkan-drivers");
    assertStringIncludes(out, "✓ image library");
  },
});

// The run script and the test task

/** `run` in a folder of its own, with only these programs to be found. */
async function runScript(
  programs: Record<string, string>,
  ...args: string[]
): Promise<Outcome> {
  const folder = await Deno.makeTempDir({ prefix: "pantomime-" });
  try {
    const bin = join(folder, "bin");
    await Deno.mkdir(bin);
    await Deno.mkdir(join(folder, "node_modules"));
    await Deno.copyFile(join(ROOT, "run"), join(folder, "run"));
    for (
      const tool of [
        "sh",
        "sed",
        "dirname",
        "uname",
        "id",
        "mkdir",
        "tail",
        "cat",
        "env",
      ]
    ) {
      await Deno.symlink(await which(tool), join(bin, tool));
    }
    for (const [name, script] of Object.entries(programs)) {
      await Deno.writeTextFile(join(bin, name), `#!/bin/sh\n${script}\n`, {
        mode: 0o755,
      });
    }
    const { code, stdout, stderr } = await new Deno.Command(join(bin, "sh"), {
      args: [join(folder, "run"), ...args],
      clearEnv: true,
      env: { PATH: bin },
    }).output();
    const decoder = new TextDecoder();
    return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function which(tool: string): Promise<string> {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    const path = join(folder, tool);
    if (await Deno.stat(path).then(() => true, () => false)) return path;
  }
  throw new Error(`${tool} is not installed`);
}

/** Answers `--version`, the driver check (`eval`) and the task, as Deno would. */
function fakeDeno(version: string, driverAnswers = true): string {
  return `case "$1" in
    --version) echo "deno ${version} (stable)" ;;
    eval) exit ${driverAnswers ? 0 : 1} ;;
    *) echo "ran $*" ;;
  esac`;
}

const onUnix = { ignore: Deno.build.os === "windows" };

Deno.test({
  ...onUnix,
  name:
    "run starts the task and hands its flags on when Deno and a driver are there",
  async fn() {
    const { code, out, err } = await runScript(
      { deno: fakeDeno("2.10.1") },
      ...["animate", "--source", "my face.jpg"],
    );
    assertEquals([code, err], [0, ""]);
    assert(
      /^ran task --quiet --config \S+deno.json animate --source my face.jpg\n$/
        .test(out),
      out,
    );
  },
});

Deno.test({
  ...onUnix,
  name:
    "run says in one sentence that Deno is missing, or too old, when npm is missing too",
  async fn() {
    const absent: Record<string, string> = {};
    const old: typeof absent = { deno: fakeDeno("2.8.4") };
    const older: typeof absent = { deno: fakeDeno("1.46.0") };
    for (const programs of [absent, old, older]) {
      const { code, err } = await runScript(programs, "test");
      assertEquals(code, 1);
      assertStringIncludes(err, "error: Deno 2.9 or newer is needed");
      assertEquals(err.trim().split("\n").length, 1);
    }
  },
});

Deno.test({
  ...onUnix,
  name: "run fetches Deno through npm into the project's own folder",
  async fn() {
    const npm =
      `mkdir -p "$3/node_modules/.bin" && { echo '#!/bin/sh'; cat <<'END'
${fakeDeno("2.9.6")}
END
} >"$3/node_modules/.bin/deno" && chmod +x "$3/node_modules/.bin/deno"`;
    const chmod = `exec ${await which("chmod")} "$@"`;
    const { code, out, err } = await runScript({ npm, chmod }, "doctor");
    assertEquals([code, err], [0, "Fetching Deno from npm into .deno/ ...\n"]);
    assertStringIncludes(out, "ran task");
  },
});

Deno.test({
  ignore: Deno.build.os !== "linux",
  name:
    "run says in one sentence that no driver answers where it may not install one",
  async fn() {
    const programs = { deno: fakeDeno("2.9.6", false) };
    const { code, out, err } = await runScript(programs, "animate");
    assertEquals([code, out], [1, ""]);
    assertStringIncludes(err, "error: No Vulkan driver answers; install");
    assertEquals(err.trim().split("\n").length, 1);
    assertEquals(
      (await runScript(programs, "doctor")).code,
      0,
      "doctor has to work without",
    );
  },
});

Deno.test("the test task counts what passed and failed, and a broken file as a failure", () => {
  const good = "ok | 12 passed | 0 failed | 1 ignored (3s)";
  assertEquals(countTests(good, true), { passed: 12, failed: 0 });
  const bad = "\x1b[31mFAILED\x1b[0m | 3 passed (4 steps) | 2 failed (1s)";
  assertEquals(countTests(bad, false), { passed: 3, failed: 2 });
  assertEquals(countTests("error: Type checking failed.", false), {
    passed: 0,
    failed: 1,
  });
});
