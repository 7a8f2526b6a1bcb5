/**
 * Expressions by name: what they are called, and how people write them down, as in
 * `jawOpen=0.6,smile=0.8`. What they do to a motion is in `expression_motion.ts`.
 *
 * @module
 */
import { closestString } from "@std/text/closest-string";
import { levenshteinDistance } from "@std/text/levenshtein-distance";
import { UsageError } from "../errors.ts";

/** Expressions that a face can be given; left and right are the person's own. */
export const EXPRESSION_NAMES = [
  "jawOpen",
  "smile",
  "frown",
  "browUp",
  "browDown",
  "blink",
  "eyeWide",
  "pucker",
  "stretch",
  "upperLipUp",
  "lowerLipDown",
  "mouthLeft",
  "mouthRight",
] as const;

/** The name of an expression. */
export type ExpressionName = typeof EXPRESSION_NAMES[number];

/**
 * How strong each expression is: 1 is as far as people go in everyday talk, negative values go the
 * other way. What is left out is 0.
 */
export type Expression = Readonly<Partial<Record<ExpressionName, number>>>;

/** Expressions of those that move the lids. */
export const LID_EXPRESSIONS: readonly ExpressionName[] = ["blink", "eyeWide"];

/** Largest strength of an expression, to either side. */
export const STRONGEST = 2;

/**
 * Reads `NAME=VALUE,NAME=VALUE`.
 *
 * @param text what was written
 * @param flag where, for messages
 * @returns finite values by name, at least one
 * @throws {UsageError} when a part has no name or no number, or a name comes twice
 */
export function parseAssignments(
  text: string,
  flag: string,
): Map<string, number> {
  const values = new Map<string, number>();
  for (const part of text.split(",")) {
    const [, name, number] = /^\s*([^=\s]+)\s*=\s*(\S+)\s*$/.exec(part) ?? [];
    const value = Number(number);
    if (name === undefined || !Number.isFinite(value)) {
      throw new UsageError(
        `${flag} ${text} will not do: "${part.trim()}" is not NAME=VALUE with a number.`,
      );
    }
    if (values.has(name)) {
      throw new UsageError(
        `${flag} ${text} will not do: ${name} is given twice; give it once.`,
      );
    }
    values.set(name, value);
  }
  return values;
}

/**
 * Reads an expression such as `jawOpen=0.6,smile=0.8`.
 *
 * @param text what was written
 * @param flag where, for messages
 * @throws {UsageError} when a name is not known, a value beyond {@linkcode STRONGEST}, or the text
 * not a list of assignments
 */
export function parseExpression(text: string, flag: string): Expression {
  const values = parseAssignments(text, flag);
  for (const [name, value] of values) {
    if (!isExpressionName(name)) {
      throw new UsageError(`${flag} does not know ${name}; ${advice(name)}.`);
    }
    if (Math.abs(value) > STRONGEST) {
      throw new UsageError(
        `${flag} ${name}=${value} is too strong; give a value from -${STRONGEST} to ${STRONGEST}.`,
      );
    }
  }
  return Object.fromEntries(values) as Expression;
}

function isExpressionName(name: string): name is ExpressionName {
  return (EXPRESSION_NAMES as readonly string[]).includes(name);
}

function advice(name: string): string {
  const known = `known are ${EXPRESSION_NAMES.join(", ")}`;
  const near: string = closestString(name, EXPRESSION_NAMES);
  const likely = levenshteinDistance(name.toLowerCase(), near.toLowerCase()) <=
    Math.floor(near.length / 3);
  return likely ? `did you mean ${near}? (${known})` : known;
}
