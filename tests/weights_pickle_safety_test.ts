/** What must never be done with a pickle, however it asks. */
import { assert, assertEquals } from "@std/assert";
import type { PythonObject, Value } from "../weights/checkpoint.ts";
import { complaint, numpyArray, raw, read } from "./support/checkpoints.ts";
import { ascii, le, pickle } from "./support/pickle_writer.ts";

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
