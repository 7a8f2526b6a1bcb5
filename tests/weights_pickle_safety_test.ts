/** What must never be done with a pickle, however it asks. */
import { assert, assertEquals } from "@std/assert";
import {
  parseCheckpoint,
  type PythonObject,
  type Value,
} from "../weights/checkpoint.ts";
import { listContents } from "../weights/contents.ts";
import { complaint, numpyArray, raw, read } from "./support/checkpoints.ts";
import {
  ascii,
  concat,
  dict,
  le,
  type Node,
  pickle,
} from "./support/pickle_writer.ts";

const dtypeOfObjects: Node = {
  call: "numpy.dtype",
  args: ["O8", false, true],
  state: [3, "|", null, null, null, -1, -1, 63],
};

Deno.test("a pickle that calls anything else is refused, with the name and the place", () => {
  const calls: [string, Uint8Array, string][] = [
    [
      "REDUCE",
      pickle({ call: "os.system", args: ["touch /tmp/gone"] }),
      "os.system",
    ],
    ["INST", ascii("(S'touch'\nios\nsystem\n."), "os.system"],
    ["OBJ", raw("\x80\x02(cos\nsystem\nX\x01\0\0\0ao."), "os.system"],
    ["eval", pickle({ call: "builtins.eval", args: ["1"] }), "builtins.eval"],
    [
      "getattr",
      pickle({ call: "builtins.getattr", args: [] }),
      "builtins.getattr",
    ],
    ["inherited", pickle({ call: "a.constructor", args: [] }), "a.constructor"],
  ];
  for (const [what, bytes, name] of calls) {
    const message = complaint(bytes, what);
    assert(message.includes(name) && /at byte \d+/.test(message), message);
  }
});

Deno.test("classes with known dangerous names stay names: nothing is looked up", () => {
  const object = read(pickle({ create: "subprocess.Popen", args: ["ls"] }));
  assertEquals((object as PythonObject).className, "subprocess.Popen");
});

Deno.test("lists and dicts that contain themselves are read once and walked once", () => {
  const list = read(raw("\x80\x02]q\0h\0a.")) as Value[];
  assert(list[0] === list);
  assert(complaint(raw("\x80\x02]q\0h\0a.")).includes("nested without end"));
  const self = read(raw("\x80\x02}q\0X\x01\0\0\0ah\0s.")) as Map<Value, Value>;
  assert(self.get("a") === self);
});

Deno.test("modules within modules by the power of two are refused, not walked", () => {
  // Each of thirty dicts holds the one before it twice.
  const double = Array.from({ length: 30 }, (_, k) =>
    raw(
      "}(X\x01\0\0\0ah",
      Uint8Array.of(k),
      "X\x01\0\0\0bh",
      Uint8Array.of(k),
      "uq",
      Uint8Array.of(k + 1),
    ));
  const message = complaint(raw("\x80\x02}q\0", ...double, "."));
  assert(message.includes("nested without end"), message);
});

Deno.test("nesting of 200,000 levels costs neither the stack nor much time", () => {
  const deep = raw("\x80\x02", "]".repeat(2e5), "a".repeat(2e5 - 1), ".");
  assert(Array.isArray(read(deep)));
  const tuples = raw("\x80\x02)", "\x85".repeat(2e5), ".");
  assert(Array.isArray(read(tuples)));
});

Deno.test("counts beyond the file are refused before anything is made of them", () => {
  const huge = new Uint8Array(8).fill(0xff);
  const cases: Record<string, Uint8Array> = {
    BINUNICODE8: raw("\x80\x04\x8d", le(2n ** 60n, 8), "."),
    BINBYTES8: raw("\x80\x04\x8e", huge, "."),
    BYTEARRAY8: raw("\x80\x05\x96", huge, "."),
    BINBYTES: raw("\x80\x03B", le(2 ** 31, 4), "abc."),
    LONG4: raw("\x80\x02\x8b", le(2 ** 30, 4), "1."),
    BINSTRING: raw("\x80\x02T", le(2 ** 32 - 1, 4), "."),
  };
  for (const [name, bytes] of Object.entries(cases)) {
    assert(/announced|whole number/.test(complaint(bytes, name)), name);
  }
});

Deno.test("a frame may lie about its length, and any number may be remembered under any other", () => {
  assertEquals(
    read(raw("\x80\x04\x95", new Uint8Array(8).fill(0xff), "K\x05.")),
    5,
  );
  assertEquals(
    read(
      raw("\x80\x02K\x05r", le(2 ** 32 - 1, 4), "0j", le(2 ** 32 - 1, 4), "."),
    ),
    5,
  );
});

Deno.test("damaged pickles are refused in one sentence", () => {
  const cases: [string, Uint8Array, RegExp][] = [
    ["no end", raw("\x80\x02K\x05"), /it ends/],
    ["nothing on the stack", raw("\x80\x02."), /a value is missing/],
    ["no mark", raw("\x80\x02t."), /mark is missing/],
    ["half a pair", raw("\x80\x02}(K\x05u."), /key has no value/],
    ["unknown memory", raw("\x80\x02h\x07."), /remembered under 7/],
    ["unknown opcode", raw("\x80\x02\xff."), /no instruction 255/],
    ["protocol 9", raw("\x80\x02\x80\x09."), /protocol 9/],
    ["no UTF-8", raw("\x80\x02X\x01\0\0\0\xff."), /not UTF-8/],
    ["extension", raw("\x80\x02\x82\x01."), /extension registry/],
    ["outside buffer", raw("\x80\x05\x97."), /buffers outside/],
    ["persistent id", raw("\x80\x02K\x01Q."), /outside of it/],
    ["append to a number", raw("\x80\x02K\x01K\x02a."), /instead of a list/],
    ["add to a list", raw("\x80\x04](K\x02\x90."), /treated as a set/],
    [
      "dtype of fields",
      pickle(numpyArray("<V8", [1], new Uint8Array(8))),
      /"<V8"/,
    ],
    [
      "array too large",
      pickle(numpyArray("<f4", [1000], new Uint8Array(8))),
      /needs 4000 bytes/,
    ],
    [
      "array of 2^60",
      pickle(numpyArray("<f4", [2 ** 30, 2 ** 30], new Uint8Array(8))),
      /shape/,
    ],
    [
      "negative size",
      pickle(numpyArray("<f4", [-1], new Uint8Array(8))),
      /a count/,
    ],
    [
      "array of nothing",
      pickle({ call: "numpy.dtype", args: [] }),
      /constructor was given/,
    ],
  ];
  for (const [what, bytes, message] of cases) {
    const told = complaint(bytes, what);
    assert(message.test(told), `${what}: ${told}`);
  }
});

Deno.test("keys of dicts and attributes that are nested without end are told by their type", () => {
  const keys = [
    `)q\x01${"0h\x01h\x01\x86q\x01".repeat(50)}`,
    `)${"\x85".repeat(1e5)}`,
    "]q\x02h\x02a",
  ];
  for (const opcodes of keys) {
    const key: Node = { opcodes };
    const root = new Map<Node, Node>([
      [key, 1],
      ["inner", new Map<Node, Node>([[key, 2]])],
      ["object", { create: "a.B", state: new Map<Node, Node>([[key, 3]]) }],
    ]);
    const { others } = listContents(parseCheckpoint(pickle(root), "x.file"));
    assertEquals(others, { list: 1, inner: { list: 2 }, object: { list: 3 } });
  }
});

Deno.test("texts that a file repeats a million times are cut where they are listed", () => {
  const text = "a".repeat(2 ** 20);
  const inner = "(" + "h\0".repeat(1000) + "t";
  const bytes = raw(
    "\x80\x02}q\x01(X\x01\0\0\0kX",
    le(text.length, 4),
    text,
    "q\0",
    ...Array.from({ length: 1000 }, (_, k) => raw("J", le(k, 4), inner)),
    // the text as a key of a dict that is in many places
    ...["X\x01\0\0\0m(}(h\0h\0uq\x03", "h\x03".repeat(1000), "t"],
    "u.",
  );
  const { others } = listContents(parseCheckpoint(bytes, "x.file"));
  assertEquals((others.k as string).length, 10_003);
  assertEquals(others[999], "list");
  assert(JSON.stringify(others).length < 2e6);
});

Deno.test("names of tensors that are longer than any needs are refused, not listed", () => {
  const tensor = numpyArray("|u1", [1], new Uint8Array(1));
  const told = "longer names than any needs";
  const dots = pickle(dict({ [".".repeat(70_000)]: tensor }));
  assert(complaint(dots).includes(told));
  // Two hundred dicts in each other, each under the same key.
  const deep = raw(
    "\x80\x02X",
    le(2 ** 20, 4),
    "a".repeat(2 ** 20),
    "q\x01",
    pickle(tensor).subarray(2, -1),
    "q\x02",
    "0}h\x01h\x02sq\x02".repeat(150),
    ".",
  );
  assert(complaint(deep).includes(told));
  // 250,000 names of 402 letters, all of the same few keys.
  const keys = (inner: Uint8Array) =>
    raw(
      "}(",
      ...Array.from({ length: 500 }, (_, k) =>
        raw("X", le(200, 4), String(k).padStart(200, "a"), inner)),
      "u",
    );
  const many = raw(
    ...["\x80\x02", pickle(tensor).subarray(2, -1), "q\x02"],
    ...[keys(raw("h\x02")), "q\x03", keys(raw("h\x03")), "."],
  );
  assert(complaint(many).includes(told));
});

Deno.test("keys without tensors are told whatever tensors are named", () => {
  const tensor = numpyArray("|u1", [1], new Uint8Array(1));
  const names = Array.from({ length: 300 }, (_, k) => `${".".repeat(900)}${k}`);
  const root = new Map<Node, Node>([
    ...names.map((name): [Node, Node] => [name, tensor]),
    ["a.b", tensor],
    ["a", 1],
    ["net", dict({ w: tensor })],
    ["none", dict({ w: null })],
    [[1, 2], { list: [tensor] }],
  ]);
  const contents = listContents(parseCheckpoint(pickle(root), "x.file"));
  assertEquals(contents.tensors.length, 302);
  assertEquals(contents.others, {
    a: 1,
    none: { w: null },
    list: ["U8 [1]"],
  });
});

Deno.test("what asks for millions of objects is refused within seconds", () => {
  const bombs: Record<string, Uint8Array> = {
    objects: raw("\x80\x02(", "}".repeat(1.1e6), "t."),
    marks: raw("\x80\x02", "(".repeat(1.1e6), "."),
    // A list of a million elements, copied a hundred times.
    copies: raw(
      "\x80\x02](",
      "N".repeat(1e6),
      "eq\0",
      "0cbuiltins\nlist\nh\0\x85R".repeat(100),
      ".",
    ),
    // The same list as the arguments of many calls, ...
    "copies of arguments": raw(
      "\x80\x02(",
      "N".repeat(1e6),
      "tq\0",
      "0ctorch\ndevice\nh\0R".repeat(100),
      ".",
    ),
    // ... as the content of many arrays ...
    "shared arrays": raw(
      "\x80\x02](",
      "N".repeat(1e6),
      "eq\0",
      pickle(dtypeOfObjects).subarray(2, -1),
      "q\x01",
      `0cnumpy\nndarray\n)\x81(K\x01J\x40\x42\x0f\0\x85h\x01\x89h\0tb`.repeat(
        100,
      ),
      ".",
    ),
    // ... and, when most of what is allowed was spent so, a dict as the state of many objects.
    "copies of attributes": raw(
      "\x80\x02(",
      "N".repeat(1e6),
      "tq\0",
      "0ctorch\ndevice\nh\0R".repeat(8),
      "0}(",
      concat(Array.from({ length: 1e5 }, (_, k) => raw("J", le(k, 4), "N"))),
      "uq\0",
      "0ca\nB\n)\x81h\0b".repeat(200),
      ".",
    ),
    texts: raw(
      "\x80\x02(X",
      le(2 ** 20, 4),
      "a".repeat(2 ** 20),
      "q\0",
      "0c_codecs\nencode\nh\0X\x06\0\0\0latin1\x86R".repeat(1000),
      "t.",
    ),
    // "<U0" has no bytes, so any number of them fits.
    "empty texts": pickle(numpyArray("<U0", [2 ** 30], new Uint8Array(0))),
  };
  for (const [what, bytes] of Object.entries(bombs)) {
    const told = complaint(bytes, what);
    assert(told.includes("asks for more than"), `${what}: ${told}`);
  }
  // Shapes need no limit in all: those that are so long are no shapes.
  const sizes = "\x80\x02](" + "K\x01".repeat(1e6) + "eq\0";
  const shapes = raw(sizes, "0ctorch\nSize\nh\0\x85R".repeat(100), ".");
  const told = complaint(shapes);
  assert(told.includes("impossible number of 1000000 axes"), told);
});

Deno.test("a file that is something else is refused with what it is", () => {
  const cases: [string, RegExp][] = [
    ["", /is empty/],
    ["<!DOCTYPE html><html>Quota exceeded</html>", /is a web page/],
    ["version https://git-lfs.github.com/spec/v1\n", /Git LFS pointer/],
    ["\x1f\x8b\x08\0\0\0\0\0", /compressed by gzip/],
    ["\x89HDF\r\n\x1a\n", /HDF5/],
    ["plain text", /of no format that can be read/],
  ];
  for (const [text, message] of cases) {
    const told = complaint(ascii(text));
    assert(message.test(told) && told.startsWith("x.file"), told);
  }
});
