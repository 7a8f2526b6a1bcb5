import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  encodeSafetensors,
  findNpmPackage,
  fromFloat32,
  halved,
  loadMannequin,
  parseGeneratorConfig,
  parseSafetensors,
  readSafetensors,
  type StoredTensor,
  toFloat32,
  WeightsError,
  writeSafetensors,
} from "../weights/mod.ts";

const floats = (...values: number[]) => new Float32Array(values);

Deno.test("safetensors: what was written is read back, in every number type", () => {
  const bytes = (array: ArrayBufferView) =>
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  const stored: Record<string, [StoredTensor, number[]]> = {
    f64: [{
      dtype: "F64",
      shape: [2],
      bytes: bytes(new Float64Array([0.5, -1e30])),
    }, [0.5, Math.fround(-1e30)]],
    f32: [{ dtype: "F32", shape: [2, 1], bytes: bytes(floats(1.5, -2)) }, [
      1.5,
      -2,
    ]],
    f16: [{
      dtype: "F16",
      shape: [3],
      bytes: bytes(new Uint16Array([0x3c00, 0xfbff, 0x0001])),
    }, [1, -65504, 2 ** -24]],
    bf16: [{
      dtype: "BF16",
      shape: [2],
      bytes: bytes(new Uint16Array([0x3f80, 0xc2f7])),
    }, [1, -123.5]],
    i64: [{ dtype: "I64", shape: [], bytes: bytes(new BigInt64Array([-7n])) }, [
      -7,
    ]],
    i32: [
      { dtype: "I32", shape: [1], bytes: bytes(new Int32Array([-70000])) },
      [-70000],
    ],
    i16: [{ dtype: "I16", shape: [1], bytes: bytes(new Int16Array([-300])) }, [
      -300,
    ]],
    i8: [{ dtype: "I8", shape: [1], bytes: bytes(new Int8Array([-3])) }, [-3]],
    u8: [
      { dtype: "U8", shape: [3], bytes: bytes(new Uint8Array([1, 0, 255])) },
      [1, 0, 255],
    ],
    empty: [{ dtype: "F32", shape: [0, 4], bytes: new Uint8Array(0) }, []],
  };
  const tensors = new Map(
    Object.entries(stored).map(([name, [tensor]]) => [name, tensor]),
  );
  const file = parseSafetensors(
    encodeSafetensors({ metadata: { who: "test", ü: "ß" }, tensors }),
  );
  assertEquals(file.metadata, { who: "test", ü: "ß" });
  for (const [name, [{ shape }, values]] of Object.entries(stored)) {
    const { shape: found, data } = toFloat32(file.tensors.get(name)!);
    assertEquals([found, [...data]], [shape, values], name);
  }
});

Deno.test("safetensors: float32 to float16 rounds to nearest even and overflows to infinity", () => {
  const half = toFloat32(
    fromFloat32({
      shape: [5],
      data: floats(1 + 2 ** -11, 1 + 3 * 2 ** -11, 1e-8, 65519, 65520),
    }, "F16"),
  );
  assertEquals([...half.data], [1, 1 + 2 ** -9, 0, 65504, Infinity]);
});

Deno.test("safetensors: tensors of mixed number types start where their type may", () => {
  const tensors = new Map<string, StoredTensor>([
    ["bytes", fromFloat32({ shape: [3], data: floats(1, 2, 3) }, "U8")],
    ["halves", fromFloat32({ shape: [1], data: floats(4) }, "F16")],
    ["words", fromFloat32({ shape: [2], data: floats(5, 6) })],
  ]);
  const file = parseSafetensors(encodeSafetensors({ metadata: {}, tensors }));
  assertEquals(file.tensors.get("words")!.bytes.byteOffset % 4, 0);
  assertEquals(file.tensors.get("halves")!.bytes.byteOffset % 2, 0);
  assertEquals([...toFloat32(file.tensors.get("bytes")!).data], [1, 2, 3]);
});

Deno.test("safetensors: a header that does not describe its bytes is refused in one sentence", () => {
  const make = (header: unknown, body = 8) => {
    const json = new TextEncoder().encode(
      typeof header === "string" ? header : JSON.stringify(header),
    );
    const file = new Uint8Array(8 + json.length + body);
    new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
    file.set(json, 8);
    return file;
  };
  const a = { dtype: "F32", shape: [2], data_offsets: [0, 8] };
  const cases: [string, Uint8Array, RegExp][] = [
    ["nothing", new Uint8Array(3), /3 bytes/],
    ["a huge header", new Uint8Array(16).fill(0xff), /header claims/],
    ["no JSON", make("hello"), /not JSON/],
    ["a list", make([]), /not a JSON object/],
    [
      "unknown type",
      make({ a: { ...a, dtype: "F7" } }),
      /unknown number type "F7"/,
    ],
    [
      "inherited type",
      make({ a: { ...a, dtype: "toString" } }),
      /unknown number type/,
    ],
    [
      "a type nested without end",
      make(`{"a": {"dtype": ${"[".repeat(1e5)}${"]".repeat(1e5)}}}`),
      /tensor a has no number type/,
    ],
    [
      "a name of a thousand and one letters",
      make({ ["a".repeat(1001)]: a }),
      /a name of 1001 letters/,
    ],
    [
      "negative size",
      make({ a: { ...a, shape: [-2] } }),
      /not a list of sizes/,
    ],
    ["fraction", make({ a: { ...a, shape: [1.5] } }), /not a list of sizes/],
    [
      "wrong size",
      make({ a: { ...a, shape: [3] } }),
      /needs 12 bytes but has 8/,
    ],
    [
      "beyond the end",
      make({ a: { ...a, shape: [4], data_offsets: [0, 16] } }),
      /cut short/,
    ],
    [
      "overlap",
      make({ a, b: { ...a, data_offsets: [0, 8] } }),
      /starts at byte 0 instead of 8/,
    ],
    [
      "hole",
      make({ a: { ...a, data_offsets: [4, 12] } }, 12),
      /starts at byte 4/,
    ],
    ["leftover", make({ a }, 12), /4 bytes at its end/],
    [
      "metadata of numbers",
      make({ __metadata__: { x: 1 }, a }),
      /map of strings/,
    ],
  ];
  for (const [what, bytes, message] of cases) {
    const error = assertThrows(
      () => parseSafetensors(bytes, "x.safetensors"),
      WeightsError,
      "x.safetensors",
      what,
    );
    assert(message.test(error.message), `${what}: ${error.message}`);
  }
});

Deno.test("safetensors: a file appears whole or not at all", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/a.safetensors`;
    const content = {
      metadata: {},
      tensors: new Map([["a", fromFloat32({ shape: [1], data: floats(3) })]]),
    };
    await writeSafetensors(path, content);
    assertEquals([
      ...toFloat32((await readSafetensors(path)).tensors.get("a")!).data,
    ], [3]);
    await assertRejects(
      () => writeSafetensors(`${folder}/missing/a.safetensors`, content),
      WeightsError,
      "Cannot write",
    );
    await Deno.mkdir(`${folder}/taken`);
    await assertRejects(
      () => writeSafetensors(`${folder}/taken`, content),
      WeightsError,
      "Cannot write",
    );
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), [
      "a.safetensors",
      "taken",
    ]);
    await assertRejects(
      () => readSafetensors(`${folder}/none`),
      WeightsError,
      "it does not exist",
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("mannequin: the embedded generator has the tensors that its configuration promises", async () => {
  const { config, tensors } = await loadMannequin();
  assertEquals(tensors.get("backbone.mapping.w_avg")!.shape, [config.w_dim]);
  assertEquals(tensors.get("backbone.mapping.fc0.weight")!.shape, [
    config.w_dim,
    config.z_dim + config.w_dim,
  ]);
  for (const [resolution, channels] of Object.entries(config.channels)) {
    assertEquals(
      tensors.get(`backbone.synthesis.b${resolution}.conv1.weight`)!.shape
        .slice(0, 1),
      [channels],
    );
    assertEquals(
      tensors.get(`backbone.synthesis.b${resolution}.torgb.weight`)!.shape[0],
      3 * config.plane_channels,
    );
  }
  assertEquals(tensors.get("decoder.net.2.weight")!.shape, [
    1 + config.decoder_output,
    config.decoder_hidden,
  ]);
  for (const { data } of tensors.values()) assert(data.every(Number.isFinite));
});

Deno.test("a generator's config is refused with the field that is missing or impossible", async () => {
  const { config } = await loadMannequin();
  const { superresolution, camera } = config;
  const [block] = superresolution.blocks;
  const blocks = (...blocks: unknown[]) => ({ ...superresolution, blocks });
  const wrong: Record<string, unknown[]> = {
    z_dim: [undefined, null, 0, 1.5, -3, "36"],
    c_dim: [-1, {}],
    num_ws: [0],
    mapping_lr_mul: [null],
    plane_resolution: [0],
    channels: [undefined, {}, [], { 4: 0 }, { b4: 128 }, { 4: "128" }],
    img_resolution: [0],
    ray_start: [undefined, null, "near"],
    ray_end: [null, [3.3]],
    box_warp: [0, null],
    depth_resolution: [0],
    depth_resolution_importance: [-1],
    superresolution: [
      blocks(null),
      blocks({ ...block, resolution: 0 }),
      blocks(block, { ...block, up: 3 }),
      blocks({ ...block, channels: null }),
      { ...superresolution, input_resolution: null },
    ],
    camera: [
      undefined,
      { ...camera, pivot: [0, 0] },
      { ...camera, pivot: [0, 0, null] },
      { ...camera, radius: 0 },
      { ...camera, fx: undefined },
    ],
  };
  const read = (text: string) => parseGeneratorConfig(text, "a.safetensors");
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      const text = JSON.stringify({ ...config, [name]: value });
      assertThrows(
        () => read(text),
        WeightsError,
        `has no valid ${name}.`,
        text,
      );
    }
  }
  assertThrows(
    () =>
      read(
        JSON.stringify(config).replace(/"box_warp":[^,]+/, '"box_warp":1e999'),
      ),
    WeightsError,
    "has no valid box_warp.",
  );
  const auto = { ...config, ray_start: "auto", ray_end: "auto" };
  assertEquals(read(JSON.stringify(auto)).ray_end, "auto");
});

Deno.test("safetensors: halved tensors round to float16, integers stay, and what float16 cannot hold is refused", () => {
  const data = Float32Array.from({ length: 1000 }, (_, k) => Math.sin(k) * 3);
  const half = halved("a", fromFloat32({ shape: [10, 100], data }));
  assertEquals([half.dtype, half.shape], ["F16", [10, 100]]);
  toFloat32(half).data.forEach((v, k) =>
    assertAlmostEquals(v, data[k], 3 * 2 ** -11)
  );
  const whole = fromFloat32({ shape: [2], data: floats(1, 2) }, "I32");
  assertEquals(halved("b", whole), whole);
  const large = halved("c", fromFloat32({ shape: [1], data: floats(1e6) }));
  assertThrows(() => large.bytes, WeightsError, "beyond 65504");
});

Deno.test("npm packages: a missing one is reported in one sentence that says how to install it", () => {
  assertThrows(
    () => findNpmPackage("no-such-package-here"),
    WeightsError,
    "deno install npm:no-such-package-here",
  );
  assertAlmostEquals(
    Deno.statSync(
      `${findNpmPackage("@vladmandic/human").folder}/models/facemesh.bin`,
    ).size,
    1477958,
  );
});
