/**
 * @file The weights manifest that TensorFlow.js graph and layers models share: a list of {name, shape, dtype,
 * quantization} whose values lie one after the other in the concatenation of the binary shards.
 * Dequantisation follows tfjs-core `io_utils.decodeWeights`: float16 is widened, uint8 and uint16 are q * scale + min.
 */
import { WeightsError } from "../errors.ts";
import { alignedCopy, elementCount, type WeightTensor } from "../tensor.ts";
import { isSizes } from "./safetensors_header.ts";

/** One entry of the manifest. */
export interface WeightSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly quantization?: {
    readonly dtype: string;
    readonly scale?: number;
    readonly min?: number;
  };
}

/** Shards and the weights they hold. */
export interface WeightGroup {
  readonly paths: readonly string[];
  readonly weights: readonly WeightSpec[];
}

const STORED_BYTES: Record<string, number> = {
  float32: 4,
  int32: 4,
  float16: 2,
  uint16: 2,
  uint8: 1,
  bool: 1,
};

/**
 * Reads and decodes the weights of all groups, by name.
 * @param readShard Gives the bytes of a shard by the name in the manifest.
 * @param source The model's name for error messages.
 * @throws {WeightsError} When a shard is named twice, a number type or a shape is unknown, or the bytes are too few or
 * too many.
 */
export async function readWeightGroups(
  manifest: readonly WeightGroup[],
  readShard: (name: string) => Promise<Uint8Array>,
  source: string,
): Promise<Map<string, WeightTensor>> {
  requireDifferent(manifest.flatMap(({ paths }) => paths), source);
  const weights = new Map<string, WeightTensor>();
  for (const { paths, weights: specs } of manifest) {
    const bytes = concatenate(await Promise.all(paths.map(readShard)));
    decodeWeightGroup(specs, bytes, source, weights);
  }
  return weights;
}

/** A small file that names one shard a million times would fill the memory with it. */
function requireDifferent(paths: readonly string[], source: string): void {
  const seen = new Set<string>();
  for (const path of paths) {
    // "a//b" and "./a/b" are the same file.
    const parts = path.split("/").filter((part) => part && part !== ".");
    const plain = parts.join("/");
    if (seen.has(plain)) {
      throw new WeightsError(
        `${source} names ${plain} among its weights more than once: the file is damaged.`,
      );
    }
    seen.add(plain);
  }
}

/** Decodes one group's weights from its concatenated shards. */
function decodeWeightGroup(
  specs: readonly WeightSpec[],
  bytes: Uint8Array,
  source: string,
  weights: Map<string, WeightTensor>,
): void {
  let offset = 0;
  for (const spec of specs) {
    if (!isSizes(spec.shape)) {
      throw new WeightsError(
        `${source}: the shape of weight ${spec.name} is not a list of sizes.`,
      );
    }
    const stored = spec.quantization?.dtype ?? spec.dtype;
    const size = STORED_BYTES[stored];
    if (size === undefined) {
      throw new WeightsError(
        `${source}: weight ${spec.name} has the unsupported number type ${stored}.`,
      );
    }
    const end = offset + elementCount(spec.shape) * size;
    if (!(end <= bytes.byteLength)) {
      throw new WeightsError(
        `${source}: its weights need at least ${end} bytes but ${bytes.byteLength} are there.`,
      );
    }
    const data = decodeValues(
      spec,
      stored,
      alignedCopy(bytes.subarray(offset, end)),
    );
    weights.set(spec.name, { shape: spec.shape, data });
    offset = end;
  }
  if (offset !== bytes.byteLength) {
    throw new WeightsError(
      `${source}: its weights need ${offset} bytes but ${bytes.byteLength} are there.`,
    );
  }
}

function decodeValues(
  spec: WeightSpec,
  stored: string,
  buffer: ArrayBuffer,
): Float32Array<ArrayBuffer> {
  if (stored === "float32") return new Float32Array(buffer);
  if (stored === "int32") return new Float32Array(new Int32Array(buffer));
  if (stored === "float16") return new Float32Array(new Float16Array(buffer));
  const levels = stored === "uint16"
    ? new Uint16Array(buffer)
    : new Uint8Array(buffer);
  if (!spec.quantization) return new Float32Array(levels);
  const { scale = 1, min = 0 } = spec.quantization;
  const values = Float32Array.from(levels, (level) => level * scale + min);
  return spec.dtype === "int32" ? values.map(Math.round) : values;
}

/** The shards of a group in one piece. */
export function concatenate(shards: readonly Uint8Array[]): Uint8Array {
  if (shards.length === 1) return shards[0];
  const whole = new Uint8Array(
    shards.reduce((sum, shard) => sum + shard.byteLength, 0),
  );
  let offset = 0;
  for (const shard of shards) {
    whole.set(shard, offset);
    offset += shard.byteLength;
  }
  return whole;
}
