/**
 * Reads a command line by the command's table of flags.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { resolve } from "@std/path";
import { closestString } from "@std/text/closest-string";
import { levenshteinDistance } from "@std/text/levenshtein-distance";
import { toKebabCase } from "@std/text/to-kebab-case";
import { splitFolders } from "../../weights/files/find.ts";
import { UsageError } from "../errors.ts";
import type {
  Flag,
  FlagTable,
  FlagValues,
  NumberFlag,
  OperandFlag,
} from "./flags.ts";

/** How a flag is written: `--w-next-steps`. */
export function flagName(option: string): string {
  return `--${spelling(option)}`;
}

/** Digits stay with their letters: `f16`, not `f-16`. */
function spelling(option: string): string {
  return toKebabCase(option).replace(/-(?=\d)/g, "");
}

/** Whether help was asked for, in any of the usual ways. */
export function asksForHelp(args: readonly string[]): boolean {
  return args.some((arg) => arg === "--help" || arg === "-h");
}

/**
 * Reads the flags that were given.
 *
 * @param table the command's flags
 * @param args what stood after the command's name
 * @returns a value for each flag given, checked; the others are left out
 * @throws {UsageError} when a flag is unknown, lacks its value or has one that will not do
 */
export function parseFlags<T extends FlagTable>(
  table: T,
  args: readonly string[],
): FlagValues<T> {
  const options = new Map(
    Object.keys(table).filter((option) => table[option].kind !== "operand")
      .map((option) => [spelling(option), option]),
  );
  const operands = Object.keys(table)
    .filter((option) => table[option].kind === "operand");
  const standing: string[] = [];
  const names = [...options.keys()];
  const isSwitch = (name: string) =>
    table[options.get(name)!].kind === "switch";
  const parsed: Record<string, unknown> = parseArgs(joinNegative(args, names), {
    collect: names.filter((name) =>
      table[options.get(name)!].kind === "folders"
    ),
    boolean: names.filter(isSwitch),
    string: names.filter((name) => !isSwitch(name)),
    unknown: (arg: string, key?: string) => {
      if (key !== undefined) throw unknownFlag(arg, names);
      if (standing.push(arg) > operands.length) throw stray(arg);
      return false;
    },
  });
  const values: Record<string, unknown> = {};
  for (const [name, option] of options) {
    const given = parsed[name];
    if (given === undefined || given === false) continue;
    if (!Array.isArray(given)) {
      values[option] = checked(name, table[option], given as string | true);
    } else if (given.length > 0) {
      values[option] = given.flatMap((one) =>
        checked(name, table[option], one)
      );
    }
  }
  for (const [place, option] of operands.entries()) {
    values[option] = operand(table[option] as OperandFlag, standing[place]);
  }
  return values as FlagValues<T>;
}

/** `--orbit -15` is a value, though it looks like a flag to the parser. */
function joinNegative(args: readonly string[], names: string[]): string[] {
  const joined: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const [arg, next] = [args[index], args[index + 1] ?? ""];
    const takes = names.includes(arg.replace(/^--/, "")) &&
      /^-\.?\d/.test(next);
    joined.push(takes ? `${arg}=${next}` : arg);
    if (takes) index++;
  }
  // What stands behind a bare "--" is no flag by convention, and no command takes anything else.
  return joined.filter((arg) => arg !== "--");
}

function stray(arg: string): UsageError {
  return new UsageError(
    `"${arg}" stands alone; put the flag it belongs to in front of it, and quotes around ` +
      `names with spaces.`,
  );
}

function unknownFlag(arg: string, names: string[]): UsageError {
  const name = arg.split("=")[0];
  const near = nearest(name.replace(/^-+/, ""), names);
  const advice = near ? `did you mean --${near}?` : `--help lists the flags.`;
  return new UsageError(`There is no flag ${name}; ${advice}`);
}

/** The likeliest word meant, if one is likely at all. */
function nearest(word: string, words: readonly string[]): string | undefined {
  const begun = words.filter((candidate) =>
    word.length > 1 && candidate.startsWith(word)
  );
  if (begun.length === 1) return begun[0];
  const closest: string = closestString(word, words);
  const allowed = Math.max(1, Math.floor(closest.length / 3));
  return levenshteinDistance(word, closest) <= allowed ? closest : undefined;
}

function checked(
  name: string,
  flag: Flag,
  given: string | true,
): string | number | boolean | string[] {
  if (flag.kind === "switch") return true;
  if (given === true || given.trim() === "") {
    throw new UsageError(`--${name} needs a value: ${describeValue(flag)}.`);
  }
  switch (flag.kind) {
    case "number":
      return checkedNumber(name, flag, given);
    case "choice":
      return checkedWord(name, flag.choices, given);
    case "toggle":
      return checkedWord(name, ["on", "off"], given) === "on";
    case "path":
    case "operand":
      return fromWhereTheUserStands(given);
    case "folders":
      return splitFolders(given).map(fromWhereTheUserStands);
    case "text":
      return given;
  }
}

function operand(flag: OperandFlag, given: string | undefined): string {
  if (given) return fromWhereTheUserStands(given);
  throw new UsageError(
    `${flag.value} is missing; --help says what belongs there.`,
  );
}

/** `deno task` runs in the project's folder and leaves the user's in INIT_CWD. */
function fromWhereTheUserStands(path: string): string {
  return resolve(Deno.env.get("INIT_CWD") ?? Deno.cwd(), path);
}

function checkedNumber(name: string, flag: NumberFlag, given: string): number {
  const number = Number(given);
  const fits = Number.isFinite(number) && number >= flag.min &&
    number <= flag.max &&
    (!flag.whole || Number.isInteger(number));
  if (fits) return number;
  throw new UsageError(
    `--${name} ${given} will not do: give ${describeValue(flag)}.`,
  );
}

function checkedWord(
  name: string,
  words: readonly string[],
  given: string,
): string {
  if (words.includes(given)) return given;
  const near = nearest(given, words);
  const advice = near ? `did you mean ${near}?` : `give ${oneOf(words)}.`;
  throw new UsageError(`--${name} ${given} is not known; ${advice}`);
}

/** What a flag's value may be, in words. */
export function describeValue(flag: Flag): string {
  switch (flag.kind) {
    case "number":
      return `a ${
        flag.whole ? "whole " : ""
      }number from ${flag.min} to ${flag.max}`;
    case "choice":
      return oneOf(flag.choices);
    case "toggle":
      return oneOf(["on", "off"]);
    case "path":
    case "operand":
      return "a file or folder";
    case "folders":
      return "a folder or several";
    case "text":
      return "a text";
    case "switch":
      return "none";
  }
}

function oneOf(words: readonly string[]): string {
  return `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
