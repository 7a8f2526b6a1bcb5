/**
 * Runs all tests and ends with one plain line, `N passed, N failed`, for programs that read no more.
 * Arguments go on to `deno test`, such as `--filter media`.
 *
 * @module
 */
import { stripAnsiCode } from "@std/fmt/colors";

const PERMISSIONS = ["read", "write", "env", "ffi", "run", "sys"].map((name) =>
  `--allow-${name}`
);

/** Reads the counts off the last summary that `deno test` printed. */
export function countTests(
  output: string,
  success: boolean,
): { passed: number; failed: number } {
  const summary = [
    ...stripAnsiCode(output).matchAll(
      /\| (\d+) passed(?: \([^)]*\))? \| (\d+) failed/g,
    ),
  ].at(-1);
  const [passed, failed] = [
    Number(summary?.[1] ?? 0),
    Number(summary?.[2] ?? 0),
  ];
  // A file that does not compile fails before there is anything to count.
  return { passed, failed: success ? failed : Math.max(1, failed) };
}

async function runTests(args: string[]): Promise<number> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", ...PERMISSIONS, ...args],
    env: Deno.stdout.isTerminal() ? { FORCE_COLOR: "1" } : {},
    stdout: "piped",
  }).spawn();
  let tail = "";
  const decoder = new TextDecoder();
  for await (const part of child.stdout) {
    await Deno.stdout.write(part);
    tail = (tail + decoder.decode(part, { stream: true })).slice(-4096);
  }
  const { success, code } = await child.status;
  const { passed, failed } = countTests(tail, success);
  console.log(`${passed} passed, ${failed} failed`);
  return code;
}

if (import.meta.main) Deno.exit(await runTests(Deno.args));
