import { assert } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { ANIMATE_FLAGS } from "../pipeline/cli/animate_flags.ts";

const readme = await Deno.readTextFile(
  new URL("../README.md", import.meta.url),
);

Deno.test("the README documents every flag of animate", () => {
  const missing = Object.keys(ANIMATE_FLAGS)
    .map((name) => `--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`)
    .filter((flag) => flag !== "--help")
    // in code, and not as the beginning of a longer flag
    .filter((flag) => !new RegExp(`[\`\\[ ]${flag}(?![\\w-])`).test(readme));
  assert(missing.length === 0, `not in the README: ${missing.join(", ")}`);
});

Deno.test("the README names every dependency", async () => {
  const config = JSON.parse(
    await Deno.readTextFile(new URL("../deno.json", import.meta.url)),
  );
  const packages = Object.values<string>(config.imports)
    .map((target) => /^npm:(@[^/]+\/[^@/]+|[^@/]+)/.exec(target)![1]);
  const missing = packages.filter((name) => !readme.includes(`\`${name}\``));
  assert(missing.length === 0, `not in the README: ${missing.join(", ")}`);
});

Deno.test("the README's example runs without permissions", async () => {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "test",
      "--doc",
      "--no-check",
      fromFileUrl(new URL("../README.md", import.meta.url)),
    ],
    stdout: "null",
    stderr: "piped",
  }).output();
  assert(success, new TextDecoder().decode(stderr));
});
