/**
 * `doctor`: what this machine has, what is missing, and what to do about it.
 *
 * @module
 */
import { bold, dim, green, red, yellow } from "@std/fmt/colors";
import { examine, type Finding } from "./checks.ts";
import type { Command } from "./command.ts";
import type { FlagTable } from "./flags.ts";
import { runAsMain } from "./main.ts";

/** The flags of `doctor`. */
export const DOCTOR_FLAGS = {
  json: {
    kind: "switch",
    help: "Print the findings as JSON, for a bug report or a program.",
  },
} as const satisfies FlagTable;

const MARKS: Record<Finding["state"], () => string> = {
  good: () => green("✓"),
  missing: () => red("✗"),
  absent: () => dim("-"),
  poor: () => yellow("!"),
};

/** The command; exits with 1 when something is missing that nothing works without. */
export const DOCTOR: Command<typeof DOCTOR_FLAGS> = {
  name: "doctor",
  summary: "Says what this machine has, what is missing and what to install.",
  flags: DOCTOR_FLAGS,
  examples: [
    {
      line: "./run doctor",
      says: "adapter, driver, limits, features, versions, optional parts",
    },
    { line: "./run doctor --json", says: "the same for a program" },
  ],
  async run({ json }, { print }) {
    const report = await examine();
    const findings = Object.values(report).flat();
    const ready = findings.every(({ state }) => state !== "missing");
    if (json) print(JSON.stringify({ ready, ...report }, null, 2));
    else for (const line of lines(report, ready)) print(line);
    return ready ? 0 : 1;
  },
};

function lines(report: Record<string, Finding[]>, ready: boolean): string[] {
  const names = Object.values(report).flat().map(({ name }) => name.length);
  const width = Math.max(...names);
  const parts = Object.entries(report).flatMap(([heading, findings]) => [
    bold(heading),
    ...findings.map((finding) => line(finding, width)),
    "",
  ]);
  return [
    ...parts,
    ready ? "Ready: ./run animate" : "Not ready: see what is marked ✗ above.",
  ];
}

function line({ name, state, value, advice }: Finding, width: number): string {
  const told = `  ${MARKS[state]()} ${name.padEnd(width)}  ${value}`;
  return advice ? `${told}\n${" ".repeat(width + 6)}${yellow(advice)}` : told;
}

if (import.meta.main) await runAsMain(DOCTOR);
