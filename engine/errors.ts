/**
 * What can go wrong in the engine; each message is one sentence that says what
 * happened and what to do.
 *
 * @module
 */

/** Base class of every error that the engine throws. */
export class EngineError extends Error {
  /** The class, for whoever sees the error printed. */
  override name = "EngineError";
}

/** No WebGPU adapter answered. */
export class NoAdapterError extends EngineError {
  /** The class, for whoever sees the error printed. */
  override name = "NoAdapterError";
}

/** The device was lost or closed; nothing made on it can be used any more. */
export class DeviceLostError extends EngineError {
  /** The class, for whoever sees the error printed. */
  override name = "DeviceLostError";
}

/** The adapter ran out of memory. */
export class OutOfMemoryError extends EngineError {
  /** The class, for whoever sees the error printed. */
  override name = "OutOfMemoryError";
}

/** A tensor is larger than the adapter can bind. */
export class TensorTooLargeError extends EngineError {
  /** The class, for whoever sees the error printed. */
  override name = "TensorTooLargeError";
}

/** Shapes do not fit the operator. */
export class ShapeError extends EngineError {
  /** The class, for whoever sees the error printed. */
  override name = "ShapeError";
}

/** Element types do not fit the operator, or the adapter has no such numbers. */
export class DtypeError extends EngineError {
  /** The class, for whoever sees the error printed. */
  override name = "DtypeError";
}

/** A tensor was used after it had been released. */
export class ReleasedError extends EngineError {
  /** The class, for whoever sees the error printed. */
  override name = "ReleasedError";
}

/** A kernel did not compile, or was dispatched with wrong buffers. */
export class KernelError extends EngineError {
  /** The class, for whoever sees the error printed. */
  override name = "KernelError";
}
