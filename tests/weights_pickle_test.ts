/** Pickles: Python's values, NumPy's arrays, FLAME's objects. */
import { assert, assertEquals } from "@std/assert";
import {
  type ByteRange,
  type CheckpointTensor,
  type ObjectArray,
  parseCheckpoint,
  PythonObject,
  SparseMatrix,
} from "../weights/checkpoint.ts";
import {
  as,
  bytesOf,
  complaint,
  entries,
  numbers,
  numpyArray,
  raw,
  read,
} from "./support/checkpoints.ts";
import { ascii, dict, le, type Node, pickle } from "./support/pickle_writer.ts";
import { NPY_OF_DICT, PYTHON_PICKLES } from "./support/python_pickles.ts";

Deno.test("what Python and NumPy pickle is read back, in every protocol", () => {
  for (const [protocol, base64] of PYTHON_PICKLES.entries()) {
    const root = entries(read(Uint8Array.fromBase64(base64)));
    const told = `protocol ${protocol}`;
    assertEquals(
      root.list,
      [1, -2, 2 ** 40, 2n ** 70n, true, null, 1.5, "ä"],
      told,
    );
    assertEquals(root.tuple, [1, [2, 3]], told);
    assertEquals([...(root.bytes as ByteRange).bytes()], [0, 255], told);
    assertEquals(root.set, new Set([7]), told);
    assertEquals(root.ordered, new Map([["x", 1], ["y", 2]]), told);
    for (const name of ["c", "f"]) {
      assertEquals(numbers(root[name]), [0, 1, 2, 3, 4, 5], told);
    }
    assertEquals((root.c as CheckpointTensor).dtype, "F32", told);
    assertEquals(numbers(root.big), [1, 256], told);
    assertEquals(numbers(root.flag), [1, 0], told);
    assertEquals((root.none as CheckpointTensor).shape, [0, 3], told);
    assertEquals(numbers(root.none), [], told);
    assertEquals([root.scalar, root.long], [0.25, 2n ** 60n], told);
    assertEquals((root.names as ObjectArray).items, ["a", "bcd"], told);
    assertEquals(
      (root.objects as ObjectArray).items,
      [new Map([["k", 1]]), null],
      told,
    );
  }
});

Deno.test("an array of one object is the object, as in FLAME's landmark embedding", () => {
  const { root, format } = parseCheckpoint(Uint8Array.fromBase64(NPY_OF_DICT));
  assertEquals(format, "npy");
  const { full_lmk_faces_idx: faces, n } = entries(root);
  assertEquals([numbers(faces), n], [[1, 2], 3]);
});

Deno.test("strings of Python 2 are text where text belongs and bytes where an array's content does", () => {
  const content = bytesOf(Float64Array.of(0.5, -2));
  const array = raw(
    "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\0\x85U\x01bt",
    "R(K\x01K\x02\x85cnumpy\ndtype\n(U\x02f8K\0K\x01tR(K\x03U\x01<NNNK\0K\0K\0tb",
    "\x89T",
    le(content.length, 4),
    content,
    "tb",
  );
  const root = entries(
    read(raw("\x80\x02}(U\x04nameU\x03J\xf6eU\x01x", array, "u.")),
  );
  assertEquals(root.name, "Jöe");
  assertEquals(numbers(root.x), [0.5, -2]);
});

Deno.test("pickles of protocol 0 are read, escapes and all", () => {
  const text =
    "(dp0\nS'a\\x41\\n\\'\\101'\np1\nI42\nsS\"it's\"\nL12345678901234567890L\n" +
    "sVgr\\u00fcn\\U0001f600\nF-1.5\nsS'yes'\nI01\nsS'list'\n(lp2\nI1\nag1\nas.";
  assertEquals(entries(read(ascii(text))), {
    "aA\n'A": 42,
    "it's": 12345678901234567890n,
    "grün😀": -1.5,
    yes: true,
    list: [1, "aA\n'A"],
  });
});

Deno.test("chumpy's arrays are the arrays they wrap, also where they are referred to twice", () => {
  const inner = numpyArray("<f8", [2], bytesOf(Float64Array.of(1, 2)));
  const bytes = raw(
    "\x80\x02}(X\x01\0\0\0acchumpy.ch\nCh\n)\x81q\0}X\x01\0\0\0x",
    pickle(inner).subarray(2, -1),
    "sbX\x01\0\0\0bh\0u.",
  );
  const { a, b } = entries(read(bytes));
  assertEquals(numbers(a), [1, 2]);
  assert(a === b);
});

Deno.test("SciPy's sparse matrices come apart and become dense, in three layouts", () => {
  const data = numpyArray("<f8", [3], bytesOf(Float64Array.of(5, 6, 7)));
  const ints = (...values: number[]) =>
    numpyArray("<i4", [values.length], bytesOf(Int32Array.from(values)));
  // [[5, 0, 6], [0, 7, 0]]
  const layouts: Record<string, Record<string, Node>> = {
    "scipy.sparse._csr.csr_matrix": {
      indices: ints(0, 2, 1),
      indptr: ints(0, 2, 3),
    },
    "scipy.sparse.csr.csr_matrix": {
      indices: ints(0, 2, 1),
      indptr: ints(0, 2, 3),
    },
    "scipy.sparse._coo.coo_matrix": { row: ints(0, 0, 1), col: ints(0, 2, 1) },
    "scipy.sparse._coo.coo_array": { coords: [ints(0, 0, 1), ints(0, 2, 1)] },
  };
  for (const [name, parts] of Object.entries(layouts)) {
    const state = dict({ _shape: [2, 3], data, ...parts });
    const matrix = as(read(pickle({ create: name, state })), SparseMatrix);
    assertEquals(matrix.shape, [2, 3]);
    assertEquals(numbers(matrix.toDense()), [5, 0, 6, 0, 7, 0], name);
  }
  const csc = dict({
    _shape: [3, 2],
    data,
    indices: ints(0, 2, 1),
    indptr: ints(0, 2, 3),
  });
  const matrix = read(
    pickle({ create: "scipy.sparse._csc.csc_matrix", state: csc }),
  );
  assertEquals(numbers((matrix as SparseMatrix).toDense()), [5, 0, 0, 7, 6, 0]);
});

Deno.test("a sparse matrix whose indices point outside is refused", () => {
  const data = numpyArray("<f8", [1], bytesOf(Float64Array.of(5)));
  const ints = (...values: number[]) =>
    numpyArray("<i4", [values.length], bytesOf(Int32Array.from(values)));
  for (
    const [indices, indptr] of [
      [[9], [0, 1, 1]],
      [[-1], [0, 1, 1]],
      [[0], [0, 1]],
      [[0], [0, 5, 1]],
      [[0], [1, 1, 1]],
    ]
  ) {
    const state = dict({
      _shape: [2, 2],
      data,
      indices: ints(...indices),
      indptr: ints(...indptr),
    });
    const bytes = pickle({ create: "scipy.sparse._csr.csr_matrix", state });
    assert(complaint(bytes).includes("indices that do not fit"));
  }
});

Deno.test("objects of unknown classes are plain data: attributes, entries and elements", () => {
  const options = pickle({
    create: "models.Options",
    args: [3],
    state: dict({ lr: 0.5, layers: { list: [1, 2] } }),
  });
  const object = as(read(options), PythonObject);
  assertEquals([object.className, object.shortName, object.args], [
    "models.Options",
    "Options",
    [3],
  ]);
  assertEquals(entries(object), { lr: 0.5, layers: [1, 2] });
  const slotted = read(
    pickle({ create: "a.B", state: [null, dict({ x: 1 })] }),
  );
  assertEquals(entries(slotted), { x: 1 });
  const easy = read(
    raw("\x80\x02cdnnlib.util\nEasyDict\n)\x81X\x01\0\0\0aK\x01s."),
  );
  assertEquals(easy, new Map([["a", 1]]));
});
