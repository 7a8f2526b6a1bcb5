/**
 * DECA's and FLAME's files with other numbers: a network of one channel that
 * says the same of every face, and the head of `head_mesh.ts`.
 *
 * @module
 */
import { DECA_CODE_LENGTH } from "../../pipeline/transfer/deca/encoder.ts";
import type { DecaCodes } from "../../pipeline/transfer/deca/codes.ts";
import { templateMask } from "../../pipeline/transfer/deca/mask.ts";
import { loadFlame } from "../../pipeline/transfer/deca/flame.ts";
import type { DecaModel } from "../../pipeline/transfer/deca/model.ts";
import type { Device } from "../../engine/mod.ts";
import { putLayer, putNorm, type State } from "./float64_layers.ts";
import { HEAD_FACES, headModel, headPickle, TEMPLATE } from "./head_mesh.ts";
import { dict } from "./pickle_writer.ts";
import { floats, TorchWriter } from "./torch_fixtures.ts";

const BOTTLENECKS = [3, 4, 6, 3].flatMap((count, stage) =>
  Array.from({ length: count }, (_, k) => `layer${stage + 1}.${k}`)
);

/** The coarse encoder's parameters: whatever it sees, it says `codes`. */
export function encoderState(codes: DecaCodes): State {
  const state: State = new Map();
  const folded = (name: string, norm: string, shape: number[]) => {
    putLayer(state, `encoder.${name}`, shape, false);
    putNorm(state, `encoder.${norm}`, shape[0]);
  };
  folded("conv1", "bn1", [1, 3, 7, 7]);
  for (const name of BOTTLENECKS) {
    for (const k of [1, 2, 3]) {
      const side = k === 2 ? 3 : 1;
      folded(`${name}.conv${k}`, `${name}.bn${k}`, [1, 1, side, side]);
    }
    if (!name.endsWith(".0")) continue;
    folded(`${name}.downsample.0`, `${name}.downsample.1`, [1, 1, 1, 1]);
  }
  putLayer(state, "layers.0", [1, 1]);
  const last = new Float32Array(DECA_CODE_LENGTH);
  last.set(codes.shape, 0);
  last.set(codes.exp, 150);
  last.set(codes.pose, 200);
  last.set(codes.cam, 206);
  const zeros = new Float32Array(DECA_CODE_LENGTH);
  state.set("layers.2.weight", { shape: [DECA_CODE_LENGTH, 1], data: zeros });
  state.set("layers.2.bias", { shape: [DECA_CODE_LENGTH], data: last });
  return state;
}

/** A file as `deca_model.tar`, a ZIP of three state dicts of which one matters. */
export function decaTar(state: State): Uint8Array<ArrayBuffer> {
  const writer = new TorchWriter("zip");
  const entries = [...state].map(([name, { data, shape }]) =>
    [name, writer.tensor(floats([...data], [...shape]))] as const
  );
  return writer.write(dict({
    E_flame: dict(Object.fromEntries(entries)),
    E_detail: dict({}),
    D_detail: dict({}),
  }));
}

/** The head as stage B takes it, with an encoder that must not be asked. */
export function headOnDevice(device: Device): DecaModel {
  const state = headModel();
  const never = new Proxy({}, {
    get: () => {
      throw new Error("the encoder was asked");
    },
  });
  return {
    encoder: never as DecaModel["encoder"],
    flame: loadFlame(device, state),
    template: TEMPLATE,
    faces: HEAD_FACES,
    mask: templateMask(TEMPLATE, HEAD_EYES),
  };
}

/** Joints of the head's eyes, the left one first. */
export const HEAD_EYES: readonly number[] = [[263, 362], [33, 133]].flatMap((
  [a, b],
) => [0, 1, 2].map((k) => (TEMPLATE[3 * a + k] + TEMPLATE[3 * b + k]) / 2));

/** Codes that are told apart from each other. */
export const CODES: DecaCodes = {
  shape: new Float32Array(100).fill(1),
  exp: new Float32Array(50).fill(2),
  pose: Float32Array.of(1, 2, 3, 4, 5, 6),
  cam: Float32Array.of(7, 8, 9),
};

/** Writes both files into a folder; whatever the encoder sees, it says `codes`. */
export async function writeModel(
  folder: { file(name: string): string },
  codes = CODES,
): Promise<{ deca: string; flame: string }> {
  const files = {
    deca: folder.file("deca_model.tar"),
    flame: folder.file("generic_model.pkl"),
  };
  await Deno.writeFile(files.deca, decaTar(encoderState(codes)));
  await Deno.writeFile(files.flame, headPickle());
  return files;
}
