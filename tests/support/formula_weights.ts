/**
 * Weights of golden files that are not stored: a rule in words gives each
 * parameter's range, the formula its numbers.
 *
 * @module
 */
import { formula } from "../../engine/ops/formula.ts";
import type { WeightTensor } from "../../weights/mod.ts";

/** An input that the metadata writes as `formula('image',(2,3,224,224),scale .5,shift .5)`. */
export function formulaInput(text: string, prefix: string): WeightTensor {
  const found =
    /formula\('([^']+)',\s*\(([\d,\s]+)\)(?:,\s*(?:scale\s*)?([\d.]+))?(?:,\s*(?:shift\s*)?(-?[\d.]+))?\)/
      .exec(text);
  if (!found) throw new Error(`The input "${text}" is not known here.`);
  const [, name, sizes, scale = 1, shift = 0] = found;
  const shape = sizes.split(",").filter((n) => n.trim()).map(Number);
  const data = formula(prefix + name, shape, Number(scale), Number(shift));
  return { shape, data };
}

/** Whether a clause of the rule is about a parameter. */
type Condition = (name: string, shape: readonly number[]) => boolean;

/** Scale and shift of a parameter's numbers. */
type Range = (shape: readonly number[]) => { scale: number; shift: number };

interface Clause {
  applies: Condition;
  range: Range;
}

/** `name endswith running_var`, `running_mean or bias`, `other 1-d`, `other`. */
function conditionOf(text: string): Condition {
  if (text === "other") return () => true;
  const axes = /^other (\d)-d$/.exec(text);
  if (axes) return (_, shape) => shape.length === Number(axes[1]);
  const endings = text.replace(/^name endswith /, "").split(" or ");
  return (name) => endings.some((ending) => name.endsWith(ending));
}

/** `scale .1 shift 1`, `formula(scale .3, shift 1)`, `scale sqrt(6/fan_in)`. */
function rangeOf(text: string): Range {
  const number = (word: string) =>
    Number(new RegExp(`${word} (-?[\\d.]+)`).exec(text)?.[1] ?? NaN);
  const shift = text.includes("shift") ? number("shift") : 0;
  if (text.includes("scale sqrt(6/fan_in)")) {
    return (shape) => ({
      scale: Math.sqrt(6 / shape.slice(1).reduce((a, b) => a * b, 1)),
      shift,
    });
  }
  const scale = number("scale");
  if (Number.isNaN(scale) || Number.isNaN(shift)) {
    throw new Error(`The range "${text}" of a golden file is not known here.`);
  }
  return () => ({ scale, shift });
}

/** The clauses of a rule such as `weights: A -> scale .1; other -> scale 1; formula key = ...`. */
function clausesOf(rule: string): Clause[] {
  return rule.replace(/^weights: /, "").split("; ")
    .filter((clause) => clause.includes("->"))
    .map((clause) => {
      const [condition, range] = clause.split("->").map((part) => part.trim());
      return { applies: conditionOf(condition), range: rangeOf(range) };
    });
}

/**
 * The parameters that a golden file describes.
 *
 * @param keys shapes by name; counters (no axes) are left out
 * @param key what stands before each name in the formula: prefix and seed
 */
export function weightsByRule(
  rule: string,
  keys: Readonly<Record<string, readonly number[]>>,
  key: string,
): Map<string, WeightTensor> {
  const clauses = clausesOf(rule);
  const weights = new Map<string, WeightTensor>();
  for (const [name, shape] of Object.entries(keys)) {
    if (shape.length === 0) continue;
    const clause = clauses.find(({ applies }) => applies(name, shape));
    if (!clause) throw new Error(`The rule "${rule}" does not cover ${name}.`);
    const { scale, shift } = clause.range(shape);
    weights.set(name, {
      shape,
      data: formula(key + name, shape, scale, shift),
    });
  }
  return weights;
}
