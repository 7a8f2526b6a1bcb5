/** Starts Pantomime's own modules as processes of their own. */
import { fromFileUrl, join } from "@std/path";

/** The project's folder, with a slash at its end. */
export const ROOT: string = fromFileUrl(new URL("../../", import.meta.url));

/** What a process left behind. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Deno's arguments for running a module with the project's import map. */
export function denoRun(...args: string[]): string[] {
  return ["run", "--quiet", "-A", "--config", join(ROOT, "deno.json"), ...args];
}

/** Runs a module to its end. */
export async function start(
  args: string[],
  env: Record<string, string> = {},
): Promise<Outcome> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: denoRun(...args),
    env: { INIT_CWD: Deno.cwd(), ...env },
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}
