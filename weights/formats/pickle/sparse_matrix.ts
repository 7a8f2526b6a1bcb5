/** @file SciPy's sparse matrices, of which FLAME's joint regressor is one. */
import { WeightsError } from "../../errors.ts";
import { elementCount } from "../../tensor.ts";
import { ByteRange } from "../byte_range.ts";
import { CheckpointTensor } from "../checkpoint_tensor.ts";

/** A larger one is not meant to be dense. */
const MAX_DENSE_ELEMENTS = 2 ** 26;

/**
 * A sparse matrix. `csc` and `csr` are compressed by column and by row: `indices[indptr[k] .. indptr[k + 1]]` are the
 * rows (columns) of the values of column (row) k. `coo` has no `indptr` but both coordinates of every value.
 */
export class SparseMatrix {
  /** How it is stored. */
  readonly format: "csc" | "csr" | "coo";
  /** Rows and columns. */
  readonly shape: readonly [number, number];
  /** The values that are there. */
  readonly data: CheckpointTensor;
  /** Row (csc) or column (csr, coo) of each value. */
  readonly indices: CheckpointTensor;
  /** Where each column (csc) or row (csr) begins in `indices`; for coo the row of each value. */
  readonly indptr: CheckpointTensor;

  /** A matrix of these parts; they are checked when it is made dense. */
  constructor(
    format: "csc" | "csr" | "coo",
    shape: readonly [number, number],
    { data, indices, indptr }: Pick<
      SparseMatrix,
      "data" | "indices" | "indptr"
    >,
  ) {
    this.format = format;
    this.shape = shape;
    this.data = data;
    this.indices = indices;
    this.indptr = indptr;
  }

  /**
   * The matrix with its zeros, as float64; values that share a place are added up. It is filled when its bytes are
   * asked for, which fails when an index points outside.
   * @throws {WeightsError} When the dense matrix would be huge.
   */
  toDense(): CheckpointTensor {
    if (elementCount(this.shape) > MAX_DENSE_ELEMENTS) {
      throw new WeightsError(
        `A sparse matrix of shape [${this.shape}] is too large to be made dense.`,
      );
    }
    const storage = {
      byteLength: elementCount(this.shape) * 8,
      locate: () => ByteRange.of(new Uint8Array(this.#fill().buffer)),
    };
    return new CheckpointTensor(storage, "F64", this.shape);
  }

  #fill(): Float64Array<ArrayBuffer> {
    const [rows, columns] = this.shape;
    const dense = new Float64Array(rows * columns);
    const data = this.data.toFloat64();
    const minor = this.indices.toFloat64();
    const major = this.format === "coo"
      ? this.indptr.toFloat64()
      : this.#majors(minor.length);
    if (minor.length !== data.length || major.length !== data.length) {
      throw this.#broken();
    }
    const byColumn = this.format === "csc";
    for (let k = 0; k < data.length; k++) {
      const row = byColumn ? minor[k] : major[k];
      const column = byColumn ? major[k] : minor[k];
      if (!(row >= 0 && row < rows && column >= 0 && column < columns)) {
        throw this.#broken();
      }
      dense[row * columns + column] += data[k];
    }
    return dense;
  }

  /** The compressed coordinate, written out for each value. */
  #majors(count: number): Float64Array {
    const starts = this.indptr.toFloat64();
    const majors = new Float64Array(count);
    if (starts.length !== this.shape[this.format === "csc" ? 1 : 0] + 1) {
      throw this.#broken();
    }
    for (let k = 0; k + 1 < starts.length; k++) {
      const [begin, end] = [starts[k], starts[k + 1]];
      if (!(begin >= 0 && begin <= end && end <= count)) throw this.#broken();
      majors.fill(k, begin, end);
    }
    if (starts[0] !== 0 || starts[starts.length - 1] !== count) {
      throw this.#broken();
    }
    return majors;
  }

  #broken(): WeightsError {
    return new WeightsError(
      `A sparse matrix of shape [${this.shape}] has indices that do not fit it: the file is damaged.`,
    );
  }
}
