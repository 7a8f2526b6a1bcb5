/** The commands `inspect` and `convert`. */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { setColorEnabled } from "@std/fmt/colors";
import { join } from "@std/path";
import { silentContext } from "../pipeline/context.ts";
import { parseFlags } from "../pipeline/cli/args.ts";
import type { Command } from "../pipeline/cli/command.ts";
import { CONVERT } from "../pipeline/cli/convert.ts";
import type { FlagTable } from "../pipeline/cli/flags.ts";
import { helpText } from "../pipeline/cli/help.ts";
import { INSPECT } from "../pipeline/cli/inspect.ts";
import { UsageError } from "../pipeline/errors.ts";
import { WeightsError } from "../weights/errors.ts";
import { readSafetensors, toFloat32 } from "../weights/formats/safetensors.ts";
import {
  ascii,
  concat,
  dict,
  le,
  type Node,
  pickle,
} from "./support/pickle_writer.ts";
import { ROOT, start } from "./support/process.ts";
import { floats, torchScript, TorchWriter } from "./support/torch_fixtures.ts";

setColorEnabled(false);

/** Runs a command and gives what it prints. */
async function run<T extends FlagTable>(
  command: Command<T>,
  ...args: string[]
): Promise<string> {
  const lines: string[] = [];
  const context = {
    ...silentContext(),
    print: (line: string) => void lines.push(line),
  };
  const code = await command.run(parseFlags(command.flags, args), context);
  assertEquals(code ?? 0, 0);
  return lines.join("\n");
}

/** A file of these bytes in a folder of its own, for as long as `use` runs. */
async function withFile(
  bytes: Uint8Array,
  use: (file: string, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const file = join(folder, "weights.bin");
    await Deno.writeFile(file, bytes);
    await use(file, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A checkpoint as EG3D's training writes it, with one tensor of 2 x 3. */
function eg3d(
  values = [1, 2, 3, 4, 5, 0.1],
  settings: Record<string, Node> = {},
): Uint8Array {
  const writer = new TorchWriter("zip");
  const persistent = (name: string, state: Record<string, Node>): Node => ({
    call: "torch_utils.persistence._reconstruct_persistent_obj",
    args: [dict({ type: "class", class_name: name, state: dict(state) })],
  });
  const superresolution = persistent("SuperresolutionHybrid8XDC", {
    _parameters: dict({ weight: writer.parameter(floats(values, [2, 3])) }),
    _buffers: dict({}),
    _modules: dict({}),
  });
  const generator = persistent("TriPlaneGenerator", {
    _parameters: dict({}),
    _buffers: dict({}),
    _modules: dict({ superresolution }),
    img_resolution: 512,
    z_dim: 64,
    neural_rendering_resolution: 128,
    rendering_kwargs: dict({ ray_start: 2.25 }),
    _init_args: [64, 25],
    _init_kwargs: dict({
      rendering_kwargs: dict({ ray_start: 2.25 }),
      sr_num_fp16_res: 4,
      ...settings,
    }),
  });
  return writer.write(dict({
    training_set_kwargs: dict({ resolution: 512 }),
    D: null,
    G_ema: generator,
  }));
}

Deno.test("inspect says what an EG3D checkpoint is and lists its tensors", async () => {
  await withFile(eg3d(), async (file) => {
    const text = await run(INSPECT, file);
    for (
      const part of [
        ...["EG3D generator TriPlaneGenerator", "PyTorch (ZIP)"],
        ...["SuperresolutionHybrid8XDC", "neural_rendering_resolution", "128"],
        ...["ray_start", "2.25", "superresolution.weight", "F32", "2 x 3"],
        ...["1 tensor, 6 parameters, 24 B", "training_set_kwargs"],
      ]
    ) assertStringIncludes(text, part);
  });
});

Deno.test("inspect --json gives a program the same", async () => {
  await withFile(eg3d(), async (file) => {
    const contents = JSON.parse(await run(INSPECT, file, "--json"));
    assertEquals([contents.file, contents.format], [file, "torch-zip"]);
    assertEquals(contents.facts.rendering_kwargs, { ray_start: 2.25 });
    assertEquals(contents.facts._init_kwargs, { sr_num_fp16_res: 4 });
    assertEquals(contents.tensors, [{
      name: "superresolution.weight",
      dtype: "F32",
      shape: [2, 3],
      size: 6,
      bytes: 24,
    }]);
    assertEquals(contents.others, {
      training_set_kwargs: { resolution: 512 },
      D: null,
    });
  });
});

Deno.test("what a file says cannot give orders to the terminal", async () => {
  const call = ascii("\x80\x04\x8c\x02os\x8c\x07\x1b[2J\nrm\x93)R.");
  await withFile(
    pickle(dict({ "\x1b[2Jname": "\x1b]0;title\x07\r\nline" })),
    async (file) => {
      const text = await run(INSPECT, file);
      // deno-lint-ignore no-control-regex
      assert(!/[\x00-\x09\x0b-\x1f\x7f]/.test(text), JSON.stringify(text));
    },
  );
  await withFile(call, async (file) => {
    const error = await assertRejects(() => run(INSPECT, file), WeightsError);
    // deno-lint-ignore no-control-regex
    assert(!/[\x00-\x1f\x7f]/.test(error.message), error.message);
  });
});

Deno.test("convert keeps names and numbers, and the settings of a generator as metadata", async () => {
  await withFile(eg3d(), async (file, folder) => {
    const out = join(folder, "generator.safetensors");
    assertStringIncludes(
      await run(CONVERT, file, out),
      "1 tensors, 6 parameters",
    );
    const { metadata, tensors } = await readSafetensors(out);
    assertEquals(metadata, {
      kind: "eg3d",
      class: "TriPlaneGenerator",
      init_args: "[64,25]",
      init_kwargs:
        '{"rendering_kwargs":{"ray_start":2.25},"sr_num_fp16_res":4}',
      rendering_kwargs: '{"ray_start":2.25}',
      neural_rendering_resolution: "128",
    });
    const { shape, data } = toFloat32(tensors.get("superresolution.weight")!);
    assertEquals([shape, [...data]], [[2, 3], [
      1,
      2,
      3,
      4,
      5,
      Math.fround(0.1),
    ]]);
  });
});

Deno.test("a text that settings repeat a thousand times is cut, not a text too long for JavaScript", async () => {
  const text = ascii("a".repeat(2 ** 20));
  const texts: Node = {
    opcodes: concat([
      ...[ascii("(X"), le(text.length, 4), text, ascii("q\x01")],
      ascii(`${"h\x01".repeat(1000)}t`),
    ]),
  };
  await withFile(eg3d([1, 2, 3, 4, 5, 6], { texts }), async (file, folder) => {
    const out = join(folder, "generator.safetensors");
    await run(CONVERT, file, out);
    const { metadata } = await readSafetensors(out);
    assertStringIncludes(metadata.init_kwargs, "aaa...");
    const json = await run(INSPECT, file, "--json");
    assertStringIncludes(json, "aaa...");
    assert(metadata.init_kwargs.length + json.length < 3e7);
  });
});

Deno.test("convert --f16 rounds floats, leaves integers and refuses what does not fit", async () => {
  const file = (large: number) => {
    const writer = new TorchWriter("legacy");
    const bytes = new Uint8Array(Float64Array.of(0.1, large).buffer);
    return writer.write(dict({
      a: writer.tensor(floats([0.1, Infinity])),
      b: writer.tensor({ element: "F64", bytes, shape: [2] }),
      n: writer.tensor({
        element: "I32",
        bytes: Uint8Array.of(1, 2, 3, 4),
        shape: [1],
      }),
    }));
  };
  await withFile(file(65504), async (path, folder) => {
    const out = join(folder, "half.safetensors");
    await run(CONVERT, path, out, "--f16");
    const { tensors } = await readSafetensors(out);
    const types = [...tensors].map(([name, { dtype }]) => [name, dtype]);
    assertEquals(types, [["n", "I32"], ["a", "F16"], ["b", "F16"]]);
    const half = Math.f16round(0.1);
    assertEquals([...toFloat32(tensors.get("a")!).data], [half, Infinity]);
    assertEquals([...toFloat32(tensors.get("b")!).data], [half, 65504]);
  });
  await withFile(file(1e300), async (path, folder) => {
    const out = join(folder, "half.safetensors");
    await assertRejects(
      () => run(CONVERT, path, out, "--f16"),
      WeightsError,
      "b as float16",
    );
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), [
      "weights.bin",
    ]);
  });
});

Deno.test("convert takes a TorchScript archive's constants along", async () => {
  const bytes = torchScript(
    (writer) => ({
      create: "__torch__.Net",
      state: dict({ w: writer.tensor(floats([1])) }),
    }),
    (writer) => [writer.tensor(floats([2]))],
  );
  await withFile(bytes, async (file, folder) => {
    const out = join(folder, "net.safetensors");
    await run(CONVERT, file, out);
    const { tensors } = await readSafetensors(out);
    assertEquals([...tensors.keys()], ["w", "constants.0"]);
  });
});

Deno.test("convert does not write over what it reads, under any name", async () => {
  await withFile(eg3d(), async (file, folder) => {
    const before = await Deno.readFile(file);
    const link = join(folder, "link.safetensors");
    await Deno.symlink(file, link);
    await assertRejects(
      () => run(CONVERT, file, link),
      UsageError,
      "to be converted",
    );
    await assertRejects(
      () => run(CONVERT, file, file),
      UsageError,
      ".safetensors",
    );
    assertEquals(await Deno.readFile(file), before);
  });
});

Deno.test("a file without tensors is not converted", async () => {
  await withFile(pickle(dict({ a: 1 })), async (file, folder) => {
    await assertRejects(
      () => run(CONVERT, file, join(folder, "a.safetensors")),
      WeightsError,
      "holds no tensors",
    );
  });
});

Deno.test("both commands explain themselves", () => {
  const inspect = helpText(INSPECT);
  assertStringIncludes(inspect, "./run inspect FILE [flags]");
  const convert = helpText(CONVERT);
  assertStringIncludes(convert, "./run convert FILE OUT.safetensors [flags]");
  assertStringIncludes(convert, "--f16");
  for (const line of `${inspect}\n${convert}`.split("\n")) {
    assert(line.length <= 100, line);
  }
});

Deno.test("a damaged or missing file ends the process with 1, wrong usage with 2, in one sentence", async () => {
  await withFile(
    pickle({ call: "os.system", args: ["true"] }),
    async (file, folder) => {
      const inspect = (...args: string[]) =>
        start([join(ROOT, "pipeline/cli/inspect.ts"), ...args]);
      const outcomes = await Promise.all([
        inspect(file),
        inspect(join(folder, "none.pkl")),
        inspect(),
      ]);
      assertEquals(outcomes.map(({ code }) => code), [1, 1, 2]);
      const [call, missing, usage] = outcomes.map(({ err }) =>
        err.trim().split("\n")
      );
      assertEquals([call.length, missing.length, usage.length], [1, 1, 2]);
      assertStringIncludes(
        call[0],
        `${file} cannot be read: it calls os.system`,
      );
      assertStringIncludes(missing[0], "it does not exist");
      assertStringIncludes(usage[0], "FILE is missing");
    },
  );
});
