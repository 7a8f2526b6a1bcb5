/**
 * Flags that would do nothing beside others.
 *
 * @module
 */
import { UsageError } from "../errors.ts";
import { flagName } from "./args.ts";

/**
 * Refuses flags that were given but would have no effect.
 *
 * @param values the flags given
 * @param flags those without effect
 * @param where the end of "has no effect"
 * @param advice what to do about it
 * @throws {UsageError} naming the first of them
 */
export function refuseIdle(
  values: Readonly<Record<string, unknown>>,
  flags: readonly string[],
  where: string,
  advice = "leave it out",
): void {
  const idle = flags.find((flag) => values[flag] !== undefined);
  if (idle === undefined) return;
  throw new UsageError(`${flagName(idle)} has no effect ${where}; ${advice}.`);
}
