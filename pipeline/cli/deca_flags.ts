/**
 * The flags of the published stage B, which `animate` and `transfer` share.
 *
 * @module
 */
import { UsageError } from "../errors.ts";
import { parseAssignments } from "../reenactment/expression_control.ts";
import { DECA_CODE } from "../transfer/deca/encoder.ts";
import type { DecaOptions } from "../transfer/deca/stage.ts";
import { flagName } from "./args.ts";
import type { FlagTable, FlagValues } from "./flags.ts";

/** The table that parsing, checking and `--help` follow from. */
export const DECA_FLAGS = {
  deca: {
    kind: "path",
    value: "FILE",
    group: "Expressions by DECA and FLAME, as published",
    help:
      "DECA's deca_model.tar. Expression and jaw of the performance are then put on the portrait's " +
      "FLAME head, whatever its own expression is; eyes stay the portrait's unless --eyes follow is " +
      "given, and --smoothing on averages five frames. Needs --driving with pictures.",
  },
  flame: {
    kind: "path",
    value: "FILE",
    help:
      "FLAME's generic_model.pkl. Default: looked for beside DECA's file, then as ./run weights does. " +
      "With DECA's head_template.obj and uv_face_eye_mask.png in the same places the face has the " +
      "published outline.",
  },
  flameExp: {
    kind: "text",
    value: "K=VALUE,...",
    help:
      "Add to components of FLAME's expression, counted from 0, such as 0=1.5,3=-1.",
  },
} as const satisfies FlagTable;

/** Flags without effect beside `--deca`, or against it. */
const EXCLUDED = ["avatar", "expression"] as const;

/** What the options depend on. */
type DecaValues = FlagValues<typeof DECA_FLAGS> & {
  readonly driving?: string;
  readonly eyes?: "follow" | "keep";
  readonly smoothing?: boolean;
  readonly avatar?: string;
  readonly expression?: string;
};

/** What follows for the options of a command. */
interface DecaChoice {
  /** The published stage B. */
  readonly deca?: DecaOptions;
  /** Published: the eyes are kept. */
  readonly eyes?: "follow" | "keep";
}

/**
 * Fills the options of the published stage B from the flags given; nothing without `--deca`.
 *
 * @throws {UsageError} when a flag is missing, contradicts another or has a value that will not do
 */
export function decaOptions(values: DecaValues): DecaChoice {
  const { deca, flame, flameExp, eyes, driving } = values;
  if (deca === undefined) {
    const alone = (["flame", "flameExp"] as const)
      .find((flag) => values[flag] !== undefined);
    if (alone === undefined) return {};
    throw new UsageError(
      `${
        flagName(alone)
      } says more about --deca; give DECA's deca_model.tar as well.`,
    );
  }
  const odd = EXCLUDED.find((flag) => values[flag] !== undefined);
  if (odd !== undefined) {
    throw new UsageError(
      `--deca and ${flagName(odd)} exclude each other; leave one of them out.`,
    );
  }
  if (driving === undefined) {
    throw new UsageError(
      "--deca looks at pictures of a performance; give them with --driving.",
    );
  }
  return {
    deca: {
      deca,
      flame,
      // on by default for tracked motion, off for expressions as published
      smoothing: values.smoothing === true,
      add: flameExp === undefined ? undefined : componentsOf(flameExp),
    },
    eyes: eyes ?? "keep",
  };
}

function componentsOf(text: string): Record<number, number> {
  const values = parseAssignments(text, "--flame-exp");
  for (const name of values.keys()) {
    if (/^\d+$/.test(name) && Number(name) < DECA_CODE.exp) continue;
    throw new UsageError(
      `--flame-exp does not know the component ${name}; they are counted from 0 to ${
        DECA_CODE.exp - 1
      }.`,
    );
  }
  return Object.fromEntries(values);
}
