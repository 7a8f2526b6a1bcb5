/** NumPy's files, ZIP archives and their tricks, and the front door to all formats. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import {
  ByteRange,
  type CheckpointTensor,
  type ObjectArray,
  openCheckpoint,
  parseCheckpoint,
  stateDict,
  type Value,
} from "../weights/checkpoint.ts";
import { WeightsError } from "../weights/errors.ts";
import {
  encodeSafetensors,
  fromFloat32,
} from "../weights/formats/safetensors.ts";
import { tar, zip, type ZipMember } from "./support/archives.ts";
import { ascii, concat, dict, le, pickle } from "./support/pickle_writer.ts";
import { NPZ } from "./support/python_pickles.ts";

/** A `.npy` with this header and content. */
function npy(header: string, content = new Uint8Array(0)): Uint8Array {
  const text = `${header}\n`;
  return concat([
    ascii("\x93NUMPY\x01\x00"),
    le(text.length, 2),
    ascii(text),
    content,
  ]);
}

const header = (descr: string, shape: string, fortran = "False") =>
  `{'descr': ${descr}, 'fortran_order': ${fortran}, 'shape': ${shape}, }`;

function complaint(bytes: Uint8Array): string {
  const { message } = assertThrows(
    () => {
      const { root } = parseCheckpoint(bytes, "x.npz");
      for (const tensor of stateDict(root).values()) tensor.bytes;
    },
    WeightsError,
  );
  assert(/^[^\n]+\.$/.test(message), `not a sentence: ${message}`);
  return message;
}

const numbers = (value: Value) => [...(value as CheckpointTensor).toFloat64()];

Deno.test("what NumPy compresses is read back: numbers, texts, columns first", () => {
  const { root, format } = parseCheckpoint(Uint8Array.fromBase64(NPZ));
  const arrays = root as Map<Value, Value>;
  assertEquals(format, "npz");
  assertEquals([...arrays.keys()], ["a", "names", "zero", "number", "text"]);
  assertEquals((arrays.get("a") as CheckpointTensor).shape, [4, 3]);
  assertEquals(numbers(arrays.get("a")!), [
    0,
    4,
    8,
    1,
    5,
    9,
    2,
    6,
    10,
    3,
    7,
    11,
  ]);
  assertEquals((arrays.get("names") as ObjectArray).items, ["eins", "zwei"]);
  assertEquals(numbers(arrays.get("zero")!), new Array(2000).fill(0));
  assertEquals(numbers(arrays.get("number")!), [5]);
  assertEquals(arrays.get("text"), "hello");
});

Deno.test("a header of NumPy may be written in any of Python's ways", () => {
  const content = new Uint8Array(Int16Array.of(1, 2, 3).buffer);
  for (
    const text of [
      header("'<i2'", "(3,)"),
      header('"<i2"', "(3L,)"),
      `{"shape":[3],"fortran_order":False,"descr":"<i2"}`,
      `  {'fortran_order': False, 'descr': '<i2', 'shape': (3,)}   `,
    ]
  ) {
    assertEquals(numbers(parseCheckpoint(npy(text, content)).root), [1, 2, 3]);
  }
});

Deno.test("a header of NumPy that is more than a literal is refused", () => {
  const cases: [string, RegExp][] = [
    ["__import__('os').system('touch x')", /not a dict/],
    [header("__import__('os')", "(3,)"), /not a dict/],
    [header("'<i2'", "(1 + 2,)"), /not a dict/],
    [header("'<i2'", "(3,)").slice(0, -2), /not a dict/],
    [header("'<i2'", "(-3,)"), /shape/],
    [header("'<i2'", "(True,)"), /shape/],
    [header("'<i2'", "3"), /shape/],
    [header("'<i2'", "(99999999999999999999,)"), /shape/],
    [header("'<i2'", "(3000000000, 3000000000)"), /impossible shape/],
    [header("'<i2'", "(100,)"), /needs 200 bytes/],
    [header("'<i2'", "(1,)", "Maybe"), /not a dict/],
    [header("[('a', '<i2')]", "(1,)"), /named fields/],
    [header("'<c8'", "(1,)"), /"<c8"/],
    [header("'<M8[D]'", "(1,)"), /"<M8\[D\]"/],
    [header("'|O'", "(1,)"), /cannot be read/],
    [header("'<U999999999'", "(9,)"), /asks for more than/],
    [`${"(".repeat(100)}${")".repeat(100)}`, /not a dict/],
  ];
  for (const [text, message] of cases) {
    const told = complaint(npy(text, new Uint8Array(8)));
    assert(message.test(told), `${text}: ${told}`);
  }
  assert(
    /version is 9/.test(
      complaint(ascii("\x93NUMPY\x09\0\x10\0aaaaaaaaaaaaaaaa")),
    ),
  );
  assert(/claims 65535/.test(complaint(ascii("\x93NUMPY\x01\0\xff\xffaaaa"))));
});

Deno.test("an object in a NumPy file is held to the same rules as any pickle", () => {
  const evil = pickle({ call: "os.system", args: ["touch /tmp/gone"] });
  const message = complaint(npy(header("'|O'", "()"), evil));
  assert(message.includes("os.system"), message);
});

Deno.test("archives with tricks are refused with what they tried", () => {
  const plain: ZipMember = {
    name: "a.npy",
    bytes: npy(header("'|u1'", "(4,)"), new Uint8Array(4)),
  };
  const bomb = new Uint8Array(2 ** 20);
  const cases: [string, ZipMember[], RegExp][] = [
    ["upwards", [{ ...plain, name: "../a.npy" }], /leads outside/],
    ["in the middle", [{ ...plain, name: "b/../../a.npy" }], /leads outside/],
    ["absolute", [{ ...plain, name: "/etc/a.npy" }], /leads outside/],
    ["backslash", [{ ...plain, name: "..\\a.npy" }], /leads outside/],
    ["drive", [{ ...plain, name: "C:a.npy" }], /leads outside/],
    ["twice", [plain, plain], /two entries "a.npy"/],
    [
      "overlap",
      [plain, { ...plain, name: "b.npy", claims: { offset: 0 } }],
      /overlap/,
    ],
    ["encrypted", [{ ...plain, claims: { flags: 1 } }], /encrypted/],
    ["method", [{ ...plain, claims: { method: 12 } }], /method 12/],
    [
      "stored size",
      [{ ...plain, claims: { length: 2 ** 31 } }],
      /claims 2147483648 bytes/,
    ],
    [
      "ratio",
      [{ ...plain, deflate: true, claims: { length: 2 ** 31 } }],
      /claims 2147483648 bytes/,
    ],
    ["checksum", [{ ...plain, claims: { crc: 1 } }], /checksum/],
    [
      "checksum, packed",
      [{ ...plain, deflate: true, claims: { crc: 1 } }],
      /checksum/,
    ],
    ["longer than said", [{
      name: "a.npy",
      bytes: concat([plain.bytes, bomb]),
      deflate: true,
      claims: { length: 200 },
    }], /cannot be unpacked|unpacks to/],
    ["shorter than said", [{
      ...plain,
      deflate: true,
      claims: { length: 200 },
    }], /unpacks to/],
    [
      "nothing to read",
      [{ ...plain, name: "readme.txt" }],
      /without a checkpoint/,
    ],
  ];
  for (const [what, members, message] of cases) {
    const told = complaint(zip(members));
    assert(message.test(told), `${what}: ${told}`);
  }
});

Deno.test("an array that would unpack to gigabytes is listed, but not unpacked", () => {
  // A megabyte that says it is 1030 megabytes, which deflate could just achieve.
  const length = 1030 * 2 ** 20;
  const text = header("'|u1'", `(${length - 128},)`).padEnd(117);
  const noise = crypto.getRandomValues(new Uint8Array(2 ** 16));
  const bytes = npy(text, concat(Array.from({ length: 17 }, () => noise)));
  const file = zip([{
    name: "a.npy",
    bytes,
    deflate: true,
    claims: { length },
  }]);
  const { root } = parseCheckpoint(file);
  const tensor = (root as Map<Value, Value>).get("a") as CheckpointTensor;
  assertEquals(tensor.shape, [length - 128]);
  assertThrows(() => tensor.bytes, WeightsError, "more than the gigabyte");
});

Deno.test("a TAR of something else is refused", () => {
  assert(
    complaint(tar({ "weights.pt": ascii("x") })).includes(
      "TAR archive without a checkpoint",
    ),
  );
  const bytes = tar({ pickle: pickle(1) });
  bytes.set(ascii("77777777777"), 124);
  assert(complaint(bytes).includes("of no format"));
});

Deno.test("files are opened by what is in them, and their tensors read when asked for", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/misnamed.png`;
    const data = Float32Array.from([1, 2]);
    const tensors = new Map([["a", fromFloat32({ shape: [2], data })]]);
    const bytes = encodeSafetensors({ metadata: { who: "me" }, tensors });
    await Deno.writeFile(path, bytes);
    const { format, metadata, root } = await openCheckpoint(path);
    assertEquals([format, metadata], ["safetensors", { who: "me" }]);
    const tensor = stateDict(root).get("a")!;
    assertEquals(numbers(tensor), [1, 2]);
    await Deno.writeFile(path, concat([bytes, bytes]));
    assertThrows(() => tensor.bytes, WeightsError, "was changed while");
    await Deno.remove(path);
    assertThrows(() => tensor.bytes, WeightsError, "Cannot read");
    await assertRejects(
      () => openCheckpoint(path),
      WeightsError,
      "does not exist",
    );
    await assertRejects(() => openCheckpoint(folder), WeightsError, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a safetensors file is none of TensorFlow.js, also where its header's length is spelt like JSON", async () => {
  const path = await Deno.makeTempFile();
  try {
    // The lengths are the bytes " {" and "\xa0{".
    for (const length of [0x7b20, 0x7ba0]) {
      const empty = encodeSafetensors({
        metadata: { who: "" },
        tensors: new Map(),
      });
      const who = "x".repeat(length - (empty.length - 8));
      const bytes = encodeSafetensors({
        metadata: { who },
        tensors: new Map(),
      });
      assertEquals([...bytes.subarray(0, 2)], [length & 0xff, 0x7b]);
      await Deno.writeFile(path, bytes);
      assertEquals((await openCheckpoint(path)).format, "safetensors");
    }
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("a pickle on disk is read in pieces: large bytes are passed over", () => {
  const file = pickle(
    dict({ first: 1, large: new Uint8Array(2 ** 20), last: 2 }),
    3,
  );
  let read = 0;
  const source = {
    length: file.length,
    read: (begin: number, end: number) => {
      read += end - begin;
      return file.slice(begin, end);
    },
  };
  const root = parseCheckpoint(new ByteRange(source)).root as Map<Value, Value>;
  assertEquals([root.get("first"), root.get("last")], [1, 2]);
  assert(read < 2 ** 18, `${read} bytes were read`);
  assertEquals((root.get("large") as ByteRange).bytes().length, 2 ** 20);
});

Deno.test("a tensor in memory is a view of the file", () => {
  const content = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
  const file = npy(header("'<f4'", "(4,)"), content);
  const tensor = parseCheckpoint(file).root as CheckpointTensor;
  assertEquals(tensor.bytes.buffer, file.buffer);
  assertEquals([...tensor.toFloat32().data], [1, 2, 3, 4]);
});

Deno.test("integers beyond 2^53 are not rounded in silence", () => {
  const content = new Uint8Array(BigInt64Array.of(2n ** 53n + 1n).buffer);
  const tensor = parseCheckpoint(npy(header("'<i8'", "(1,)"), content)).root;
  assertThrows(
    () => (tensor as CheckpointTensor).toFloat64(),
    WeightsError,
    "9007199254740993 is beyond 2^53",
  );
});

Deno.test("a TensorFlow.js graph model is one of the formats", async () => {
  const path = fromFileUrl(
    new URL(
      "../node_modules/@vladmandic/human/models/blazeface.json",
      import.meta.url,
    ),
  );
  const { format, root } = await openCheckpoint(path);
  assertEquals(format, "tfjs-graph");
  assert(stateDict(root).size > 50);
});
