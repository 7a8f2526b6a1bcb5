/** Documentation that is generated is up to date. */
import { assert } from "@std/assert";
import { operatorsPage, PAGE } from "../docs/operators.ts";
import { fromFileUrl } from "@std/path";
import { openDevice } from "../engine/mod.ts";
import config from "../deno.json" with { type: "json" };

/** The operators' f16 cases are part of the page. */
async function hasHalf(): Promise<boolean> {
  using device = await openDevice();
  return device.gpu.features.has("shader-f16");
}

Deno.test({
  name: "docs/OPERATORS.md says what the operators do",
  ignore: !await hasHalf(),
  fn: async () => {
    const written = await Deno.readTextFile(PAGE);
    assert(
      written === await operatorsPage(),
      "docs/OPERATORS.md is out of date: run `deno task docs`",
    );
  },
});

Deno.test("everything that the package exports is documented, with public types", async () => {
  const entries = Object.values(config.exports)
    .map((path) => fromFileUrl(new URL(`../${path}`, import.meta.url)));
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--lint", ...entries],
    stdout: "null",
  }).output();
  assert(success, new TextDecoder().decode(stderr));
});
