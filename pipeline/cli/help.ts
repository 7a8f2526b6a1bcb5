/**
 * Help texts, made from a command's table of flags.
 *
 * @module
 */
import { bold, dim } from "@std/fmt/colors";
import { flagName } from "./args.ts";
import type { Command } from "./command.ts";
import type { Flag, FlagTable } from "./flags.ts";

const WIDTH = 96;

/** The text that `--help` prints. */
export function helpText<T extends FlagTable>(command: Command<T>): string {
  const rows: [string, string, string?][] = Object.entries(command.flags).map((
    [option, flag],
  ) => [spelled(option, flag), flag.help, flag.group]);
  rows.push(["--help", "Print this text."]);
  const indent = Math.max(...rows.map(([left]) => left.length)) + 4;
  const lines = rows.flatMap(([left, right, group]) => [
    ...(group ? ["", bold(group)] : []),
    `  ${left.padEnd(indent - 2)}${wrap(right, indent)}`,
  ]);
  const examples = command.examples.flatMap((
    { line, says },
  ) => [`  ${line}`, `      ${dim(says)}`]);
  const operands = Object.values<Flag>(command.flags)
    .flatMap((flag) => flag.kind === "operand" ? [flag.value] : []);
  return [
    command.summary,
    "",
    `${bold("Usage")}  ./run ${[command.name, ...operands].join(" ")} [flags]`,
    ...lines,
    "",
    bold("Examples"),
    ...examples,
  ].join("\n");
}

function spelled(option: string, flag: Flag): string {
  const name = flagName(option);
  switch (flag.kind) {
    case "choice":
      return `${name} ${flag.choices.join("|")}`;
    case "toggle":
      return `${name} on|off`;
    case "switch":
      return name;
    case "operand":
      return flag.value;
    default:
      return `${name} ${flag.value}`;
  }
}

/** Breaks a text into lines that fit beside the flags. */
function wrap(text: string, indent: number): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines[lines.length - 1];
    if (line && line.length + 1 + word.length > WIDTH - indent) {
      lines.push(word);
    } else lines[lines.length - 1] = line ? `${line} ${word}` : word;
  }
  return lines.join(`\n${" ".repeat(indent)}`);
}
