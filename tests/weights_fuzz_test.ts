/** Damaged files of every format: whatever is done to them, they are read or refused, never worse. */
import { assert } from "@std/assert";
import { parseCheckpoint, stateDict } from "../weights/checkpoint.ts";
import { listContents } from "../weights/contents.ts";
import { WeightsError } from "../weights/errors.ts";
import {
  encodeSafetensors,
  fromFloat32,
} from "../weights/formats/safetensors.ts";
import {
  ascii,
  concat,
  dict,
  type Node,
  pickle,
} from "./support/pickle_writer.ts";
import { NPY_OF_DICT, NPZ, PYTHON_PICKLES } from "./support/python_pickles.ts";
import { floats, torchScript, TorchWriter } from "./support/torch_fixtures.ts";

/** How often each file is damaged. */
const ROUNDS = 400;
/** Tensors may be views that repeat numbers; larger ones are not written out here. */
const MAX_BYTES = 2 ** 20;

/** A generator of the same numbers each time (mulberry32). */
function random(seed: number): (below: number) => number {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor(((t ^ (t >>> 14)) >>> 0) / 2 ** 32 * below);
  };
}

type Damage = (
  bytes: Uint8Array,
  below: (limit: number) => number,
) => Uint8Array;

/** Numbers on which readers stumble. */
const NASTY = [0, 1, 0x7f, 0x80, 0xff];

const DAMAGES: Record<string, Damage> = {
  flip: (bytes, below) => {
    const copy = bytes.slice();
    for (let k = below(8) + 1; k > 0; k--) {
      copy[below(copy.length)] ^= 1 << below(8);
    }
    return copy;
  },
  replace: (bytes, below) => {
    const copy = bytes.slice();
    for (let k = below(4) + 1; k > 0; k--) {
      copy[below(copy.length)] = NASTY[below(NASTY.length)];
    }
    return copy;
  },
  fill: (bytes, below) => {
    const at = below(bytes.length);
    return bytes.slice().fill(
      NASTY[below(NASTY.length)],
      at,
      at + 2 ** below(5),
    );
  },
  truncate: (bytes, below) => bytes.slice(0, below(bytes.length)),
  cut: (bytes, below) => {
    const at = below(bytes.length);
    return concat([bytes.slice(0, at), bytes.slice(at + below(40))]);
  },
  splice: (bytes, below) => {
    const from = below(bytes.length);
    const part = bytes.slice(from, from + below(60));
    const at = below(bytes.length);
    return concat([bytes.slice(0, at), part, bytes.slice(at)]);
  },
};

/** Reads everything that is in a file. */
function readAll(bytes: Uint8Array): void {
  const checkpoint = parseCheckpoint(bytes, "damaged file");
  JSON.stringify(listContents(checkpoint));
  for (const tensor of stateDict(checkpoint.root).values()) {
    if (tensor.byteLength <= MAX_BYTES) tensor.toFloat32();
  }
}

function files(): Record<string, Uint8Array> {
  const dtype: Node = {
    call: "numpy.dtype",
    args: ["i4", false, true],
    state: [3, "<", null, null, null, -1, -1, 0],
  };
  const array = (...values: number[]): Node => ({
    call: "numpy.core.multiarray._reconstruct",
    args: [{ name: "numpy.ndarray" }, [0], new Uint8Array([98])],
    state: [
      ...[1, [values.length], dtype, false],
      new Uint8Array(Int32Array.from(values).buffer),
    ],
  });
  const sparse: Node = {
    create: "scipy.sparse._csc.csc_matrix",
    state: dict({
      _shape: [2, 1],
      data: array(5, 6),
      indices: array(0, 1),
      indptr: array(0, 2),
    }),
  };
  const chumpy: Node = {
    create: "chumpy.ch.Ch",
    state: dict({ x: array(7, 8) }),
  };
  const torch = (format: "zip" | "legacy" | "tar", options = {}) => {
    const writer = new TorchWriter(format);
    const a = writer.parameter(floats([1, 2, 3, 4, 5, 6], [2, 3]));
    const b = writer.tensor({
      ...floats([1, 2, 3, 4], [2, 2]),
      strides: [1, 2],
    });
    const net: Node = {
      create: "my.Net",
      state: dict({
        _parameters: dict({ a }),
        _buffers: dict({ b }),
        _modules: dict({}),
      }),
    };
    return writer.write(dict({ net, b, epoch: 1 }), options);
  };
  const tensors = new Map([[
    "a",
    fromFloat32({ shape: [2], data: new Float32Array(2) }),
  ]]);
  return {
    ...Object.fromEntries(
      PYTHON_PICKLES.map((
        text,
        k,
      ) => [`protocol ${k}`, Uint8Array.fromBase64(text)]),
    ),
    flame: pickle(dict({ sparse, chumpy, name: "x" })),
    npy: Uint8Array.fromBase64(NPY_OF_DICT),
    npz: Uint8Array.fromBase64(NPZ),
    zip: torch("zip"),
    "zip, packed": torch("zip", { deflate: true }),
    "zip, wide": torch("zip", { wide: true }),
    legacy: torch("legacy"),
    tar: torch("tar"),
    script: torchScript(
      (writer) => ({
        create: "__torch__.Net",
        state: dict({ weight: writer.tensor(floats([1, 2])), training: false }),
      }),
      (writer) => [writer.tensor(floats([9]))],
    ),
    safetensors: encodeSafetensors({ metadata: { a: "b" }, tensors }),
  };
}

for (const [name, bytes] of Object.entries(files())) {
  Deno.test(`a damaged file (${name}) is read or refused in one sentence`, () => {
    readAll(bytes);
    const below = random(bytes.length);
    const damages = Object.entries(DAMAGES);
    for (let round = 0; round < ROUNDS; round++) {
      const [kind, damage] = damages[round % damages.length];
      const damaged = damage(bytes, below);
      try {
        readAll(damaged);
      } catch (error) {
        const told = `${kind}, round ${round}: ${error}\n${
          (error as Error).stack
        }`;
        assert(error instanceof WeightsError, told);
        assert(/^[^\n]+\.$/.test((error as Error).message), told);
      }
    }
  });
}

/** Instructions and names that mean something to the reader, in no order at all. */
const INSTRUCTIONS: string[] = [
  ..."N()]}tlaeudsRbQ0125qhio\x85\x86\x87\x88\x8f\x90\x91\x81\x92\x93\x94",
  ...["K\x00", "K\x03", "J\xff\xff\xff\xff", "G\x7f\xf0\0\0\0\0\0\0", "q\x01"],
  ...["h\x00", "h\x01", "X\x01\0\0\0x", "U\x02<f", "C\x08\0\0\0\0\0\0\0\0"],
  ...["storage", "_modules", "_parameters", "<f4", "f8", "latin1", "data"]
    .map((text) => `X${String.fromCharCode(text.length)}\0\0\0${text}`),
  ...[
    ...["collections OrderedDict", "builtins set", "_codecs encode"],
    ...["copy_reg _reconstructor", "numpy dtype", "numpy ndarray"],
    ...["numpy.core.multiarray scalar", "numpy.core.multiarray _reconstruct"],
    ...["numpy.core.numeric _frombuffer", "chumpy.ch Ch", "torch Size"],
    ...["scipy.sparse csr_matrix", "torch FloatStorage", "torch device"],
    ...["torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_tensor_v3"],
    ...[
      "torch._tensor _rebuild_from_type_v2",
      "torch.storage _load_from_bytes",
    ],
    ...["torch._utils _rebuild_parameter", "a B"],
    ...["torch_utils.persistence _reconstruct_persistent_obj"],
  ].map((name) => `c${name.replace(" ", "\n")}\n`),
];

Deno.test("instructions in no order are read or refused in one sentence", () => {
  const below = random(1);
  for (let round = 0; round < 10 * ROUNDS; round++) {
    const program = Array.from(
      { length: 2 + below(12) },
      () => INSTRUCTIONS[below(INSTRUCTIONS.length)],
    );
    // Enough on the stack to get somewhere.
    const bytes = ascii(`\x80\x02]}NK\x02K\x01(${program.join("")}.`);
    try {
      readAll(bytes);
    } catch (error) {
      const told = `${program}: ${error}\n${(error as Error).stack}`;
      assert(error instanceof WeightsError, told);
      assert(/^[^\n]+\.$/.test((error as Error).message), told);
    }
  }
});
