/** The benchmark: what it counts as a result, what it prints, and that its peers compute the same. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { measure, type Row } from "../bench/measure.ts";
import { measureMachine } from "../bench/machine.ts";
import { operatorRows } from "../bench/operators.ts";
import { onnxModel } from "../bench/peers/onnx_model.ts";
import type { Peer } from "../bench/peers/peer.ts";
import { numbersOf, type Problem } from "../bench/problem.ts";
import { Table } from "../bench/report.ts";
import { add, openDevice } from "../engine/mod.ts";

const root = new URL("..", import.meta.url).pathname;

async function deno(
  ...args: string[]
): Promise<{ code: number; out: string; error: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: root,
  }).output();
  const text = new TextDecoder();
  return { code, out: text.decode(stdout), error: text.decode(stderr) };
}

const bench = (...args: string[]) =>
  deno("run", "--quiet", "-A", "bench/bench.ts", ...args);

const problem: Problem = { kind: "add", inputs: { x: [4, 8], y: [4, 8] } };

const row: Row = {
  group: "test",
  name: "a small sum",
  operations: 32,
  problem,
  prepare(device) {
    const { x, y } = numbersOf(problem);
    const a = device.tensor(x.data, [4, 8]), b = device.tensor(y.data, [4, 8]);
    return () => add(a, b);
  },
};

/** A peer that answers with the given numbers, after some milliseconds. */
function peer(
  name: Peer["name"],
  answer: (x: number, y: number) => number,
  delay = 0,
): Peer {
  const { x, y } = numbersOf(problem);
  const numbers = x.data.map((v, k) => answer(v, y.data[k]));
  return {
    name,
    version: name,
    prepare: () =>
      Promise.resolve({
        run: () => {},
        finish: () => new Promise((done) => setTimeout(done, delay)),
        read: () => Promise.resolve(numbers),
        dispose: () => {},
      }),
  };
}

Deno.test("a row has our time, each peer's, and the ratio of the fastest peer to us", async () => {
  using device = await openDevice();
  const fast = peer("jax", (x, y) => x + y, 1);
  const slow = peer("tfjs", (x, y) => x + y, 80);
  const timing = await measure(device, row, [fast, slow], { runs: 1 });
  const { ours, peers, ratio } = timing;
  assert(ours! > 0 && peers.jax! > 0 && peers.tfjs! > peers.jax!);
  assertEquals(ratio, peers.jax! / ours!);
});

Deno.test("a peer with other numbers has no figure, and the row says why", async () => {
  using device = await openDevice();
  const wrong = peer("ort", (x, y) => x - y);
  const { peers, ratio, notes } = await measure(device, row, [wrong], {
    runs: 1,
  });
  assertEquals([peers.ort, ratio], [null, null]);
  assertStringIncludes(notes![0], "ort is off by");
});

Deno.test("without peers there is no ratio", async () => {
  using device = await openDevice();
  const { peers, ratio } = await measure(device, row, [], { runs: 1 });
  assertEquals([peers, ratio], [{}, null]);
});

Deno.test("the machine's limits are finite and positive", async () => {
  using device = await openDevice();
  const { gflops, gbytes } = await measureMachine(device);
  assert(gflops > 0 && gbytes > 0 && Number.isFinite(gflops + gbytes));
});

Deno.test("rows have names of their own, and peers get a problem of theirs", () => {
  const names = operatorRows.map((r) => r.name);
  assertEquals(names.length, new Set(names).size);
  assert(operatorRows.every((r) => r.problem));
});

Deno.test("the file of --json has the adapter and a row for each that was timed", async () => {
  const path = await Deno.makeTempFile();
  const { code, out } = await bench(
    "--only",
    "128 to 128 channels at 8 px, gradient of the weight",
    "--runs",
    "1",
    "--json",
    path,
  );
  assertEquals(code, 0);
  const report = JSON.parse(await Deno.readTextFile(path));
  await Deno.remove(path);
  assertEquals(Object.keys(report), ["adapter", "rows"]);
  const [, , timed] = report.rows;
  for (const key of ["name", "ours", "peers", "ratio", "gflops", "share"]) {
    assert(key in timed, key);
  }
  assertEquals(timed.peers, {});
  assertStringIncludes(out, timed.name);
});

Deno.test("wrong flags and unknown rows are refused with a sentence", async () => {
  for (
    const [args, sentence] of [
      [["--rums", "3"], "There is no flag --rums"],
      [["--runs", "0"], "--runs takes a whole number from 1"],
      [["--only", "tea"], "No row is called tea"],
    ] as const
  ) {
    const { code, error } = await bench(...args);
    assertEquals(code, 2);
    assertStringIncludes(error, sentence);
  }
});

Deno.test("a line of the table has a cell for every column", () => {
  const table = new Table(["jax", "ort"]);
  const line = table.row({
    name: "row",
    group: "g",
    ours: 1.234,
    peers: { jax: 12.34, ort: null },
    ratio: 10,
    notes: ["ort cannot"],
  });
  const cells = line.split("\n")[0].slice("row".length).trim().split(/\s{2,}/);
  assertEquals(cells.slice(0, 4), ["1.23 ms", "12.3 ms", "-", "10.00"]);
  assertEquals(cells.length, table.head().trim().split(/\s+/).length);
  assertStringIncludes(line, "\n    ort cannot");
});

Deno.test("ONNX models are written as protocol buffers", () => {
  const model = onnxModel({
    inputs: { a: [2, 300], b: [300, 5] },
    nodes: [{ op: "MatMul", inputs: ["a", "b"], output: "y" }],
    outputs: { y: [2, 5] },
  });
  const top = fields(model);
  assertEquals(top.map((f) => f.field), [1, 7, 8]);
  assertEquals(top[0].value, 8);
  const graph = fields(top[1].value as Uint8Array);
  assertEquals(graph.map((f) => f.field), [1, 2, 11, 11, 12]);
  const node = fields(graph[0].value as Uint8Array).map(({ field, value }) =>
    `${field} ${new TextDecoder().decode(value as Uint8Array)}`
  );
  assertEquals(node, ["1 a", "1 b", "2 y", "4 MatMul"]);
  // the size 300 takes two bytes: 0xac, 0x02
  const a = graph[2].value as Uint8Array;
  assert(a.join().includes("8,172,2"));
});

/** The fields of a protocol buffer message. */
function fields(
  bytes: Uint8Array,
): { field: number; value: number | Uint8Array }[] {
  const found: { field: number; value: number | Uint8Array }[] = [];
  let at = 0;
  const varint = () => {
    let value = 0, shift = 0;
    for (;; shift += 7) {
      const byte = bytes[at++];
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint(), length = varint();
    if ((tag & 7) === 0) found.push({ field: tag >> 3, value: length });
    else {
      const value = bytes.subarray(at, at + length);
      found.push({ field: tag >> 3, value });
      at += length;
    }
  }
  return found;
}

Deno.test("the peers compute what the engine computes", async () => {
  const { code, out, error } = await deno(
    ...["run", "--quiet", "-A", "--no-check", "tests/support/bench_peers.ts"],
  );
  assertEquals(code, 0, error);
  const errors = JSON.parse(out.trim().split("\n").at(-1)!);
  assertEquals(Object.keys(errors), ["jax", "tfjs", "ort"]);
  for (const [name, found] of Object.entries(errors)) {
    for (const [what, size] of Object.entries(found as object)) {
      assert(size < 1e-4, `${name}, ${what}: ${size}`);
    }
  }
});
