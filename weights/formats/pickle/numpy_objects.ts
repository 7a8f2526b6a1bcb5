/** @file How pickles make NumPy's arrays and numbers, SciPy's sparse matrices and chumpy's arrays. */
import { WeightsError } from "../../errors.ts";
import { CheckpointTensor } from "../checkpoint_tensor.ts";
import {
  type Constructor,
  type Constructors,
  expect,
  expectBytes,
  expectDict,
  expectList,
  expectShape,
  expectText,
  type StateSetter,
} from "./constructors.ts";
import { type Item, Pending, resolve } from "./items.ts";
import {
  numpyArray,
  type NumpyDtype,
  numpyScalar,
  parseNumpyDtype,
} from "./numpy_dtype.ts";
import { SparseMatrix } from "./sparse_matrix.ts";
import { MAX_NAME, ObjectArray, PythonName, type Value } from "./values.ts";

const DTYPE = "numpy.dtype";
const ARRAY = "numpy.ndarray";

/** numpy.dtype("f8", align, copy); the byte order follows as its state. */
const makeDtype: Constructor = ([descr]) =>
  new Pending(DTYPE, [], dtypeName(expectText(descr)));

function dtypeName(text: string): PythonName {
  if (text.length <= MAX_NAME) return new PythonName(`${DTYPE}.${text}`);
  throw new WeightsError(
    `A NumPy type has a name of ${text.length} letters: the file is damaged.`,
  );
}

/** (version, byte order, subarray, names, fields, ...). */
const setDtype: StateSetter = (dtype, state) => {
  const [, order, subarray, names] = expectList(state);
  if (resolve(subarray ?? null) !== null || resolve(names ?? null) !== null) {
    throw new WeightsError(
      "A NumPy array has elements with named fields, which cannot be read; save each field by itself.",
    );
  }
  const code = dtypeText(dtype).replace(/^[<>=|]/, "");
  dtype.value = dtypeName(expectText(order) + code);
};

function dtypeText(item: Item): string {
  const name = expect(
    item,
    "a NumPy type",
    (value): value is PythonName =>
      value instanceof PythonName && value.name.startsWith(`${DTYPE}.`),
  ).name;
  return name.slice(DTYPE.length + 1);
}

/** (version, shape, type, columns first, content); the content is bytes, or a list for objects. */
const setArray: StateSetter = (array, state, { budget }) => {
  const fields = expectList(state) as Item[];
  const [shape, dtype, columnMajor, content] = fields.slice(-4);
  const type = parseNumpyDtype(dtypeText(dtype));
  const sizes = expectShape(shape);
  if (type.kind !== "object") {
    const bytes = expectBytes(content);
    array.value = numpyArray(
      type,
      sizes,
      resolve(columnMajor) === true,
      bytes,
      budget,
    );
    return;
  }
  const objects = new ObjectArray(sizes, expectList(content));
  // Arrays may share the list, and each is walked by itself.
  budget.spend("instructions", objects.items.length);
  array.value = sizes.length === 0 ? objects.items[0] : objects;
};

/** A single number of a type; objects are their own scalars. */
const scalar: Constructor = ([dtype, content], { budget }) => {
  const type: NumpyDtype = parseNumpyDtype(dtypeText(dtype));
  if (type.kind === "object") return content;
  const bytes = expectBytes(content);
  return type.kind === "number"
    ? numpyScalar(type, bytes)
    : numpyArray(type, [], false, bytes, budget);
};

/** How protocol 5 writes an array: (bytes, type, shape, "C" or "F"). */
const fromBuffer: Constructor = (
  [content, dtype, shape, order],
  { budget },
) => {
  const type = parseNumpyDtype(dtypeText(dtype));
  if (type.kind === "object") {
    throw new WeightsError(
      "A NumPy array of objects claims to be plain bytes: the file is damaged.",
    );
  }
  const columnMajor = expectText(order) === "F";
  return numpyArray(
    type,
    expectShape(shape),
    columnMajor,
    expectBytes(content),
    budget,
  );
};

const isTensor = (value: Value): value is CheckpointTensor =>
  value instanceof CheckpointTensor;

function setSparse(format: "csc" | "csr" | "coo"): StateSetter {
  return (matrix, state) => {
    const fields = expectDict(state);
    const part = (name: string) =>
      expect(fields.get(name) ?? null, `a matrix's ${name}`, isTensor);
    const [rows, columns] = expectShape(
      fields.get("_shape") ?? fields.get("shape") ?? null,
    );
    if (format !== "coo") {
      const parts = {
        data: part("data"),
        indices: part("indices"),
        indptr: part("indptr"),
      };
      matrix.value = new SparseMatrix(format, [rows, columns], parts);
      return;
    }
    const [row, column] = fields.has("coords")
      ? expectList(fields.get("coords")!).map((axis) =>
        expect(axis, "a coordinate", isTensor)
      )
      : [part("row"), part("col")];
    matrix.value = new SparseMatrix(format, [rows, columns], {
      data: part("data"),
      indices: column,
      indptr: row,
    });
  };
}

/** A chumpy array is the NumPy array it wraps. */
const setChumpy: StateSetter = (array, state) => {
  array.value = expectDict(state).get("x");
};

const MULTIARRAY = ["numpy.core.multiarray", "numpy._core.multiarray"];
const NUMERIC = ["numpy.core.numeric", "numpy._core.numeric"];
const FORMATS = ["csc", "csr", "coo"] as const;

/** NumPy, SciPy and chumpy. */
export const NUMPY: Constructors = {
  calls: new Map<string, Constructor>([
    [DTYPE, makeDtype],
    ...MULTIARRAY.flatMap((module) =>
      [
        [`${module}._reconstruct`, () => new Pending(ARRAY, [])],
        [`${module}.scalar`, scalar],
      ] as [string, Constructor][]
    ),
    ...NUMERIC.map((module) => [`${module}._frombuffer`, fromBuffer] as const),
  ]),
  states: new Map<string, StateSetter>([
    [DTYPE, setDtype],
    [ARRAY, setArray],
    ["chumpy.ch.Ch", setChumpy],
    ...FORMATS.flatMap((format) =>
      ["matrix", "array"].flatMap((kind) =>
        [`._${format}.`, `.${format}.`, "."].map((module) =>
          [`scipy.sparse${module}${format}_${kind}`, setSparse(format)] as const
        )
      )
    ),
  ]),
};
