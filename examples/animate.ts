/**
 * Animates a portrait from code: what `./run animate` does, inside a program of one's own.
 *
 *     deno run -A examples/animate.ts me.jpg clip.gif result
 *
 * Without arguments: the bundled portrait, the bundled motion, a draft.
 *
 * @module
 */
import {
  type AnimateOptions,
  defaultAnimateOptions,
  PantomimeError,
  type Report,
  runAnimate,
  type RunContext,
} from "../mod.ts";

/** A context that says which stage began and how far each one is, in tenths. */
export function talkingContext(
  say: (line: string) => void,
  signal: AbortSignal = new AbortController().signal,
): RunContext {
  return {
    signal,
    print: say,
    progress: {
      stage: (title, total) => {
        say(`${title} ...`);
        let tenths = 0;
        return {
          update: (done) => {
            const now = total ? Math.floor(10 * done / total) : 0;
            if (now > tenths) say(`${title} ${10 * (tenths = now)} %`);
          },
          finish: () => {},
        };
      },
      note: say,
      warn: say,
    },
  };
}

/** Runs with everything by default but `changes`. */
export async function animate(
  changes: Partial<AnimateOptions>,
  say: (line: string) => void = console.log,
): Promise<Report> {
  return await runAnimate(
    { ...defaultAnimateOptions(), quality: "draft", ...changes },
    talkingContext(say),
  );
}

if (import.meta.main) {
  const [source, driving, out] = Deno.args;
  const given = Object.entries({ source, driving, out });
  try {
    const report = await animate(
      Object.fromEntries(given.filter(([, value]) => value !== undefined)),
    );
    console.log(report.quality);
  } catch (error) {
    // the message is one sentence for whoever gave the picture
    if (!(error instanceof PantomimeError)) throw error;
    console.error(error.message);
    Deno.exit(error.exitCode);
  }
}
