import { writeAtomically } from "./atomic.ts";

/** What a file of choices holds. */
interface Content {
  /** What the choices hold for: adapter, driver, kernels. */
  adapter: string;
  /** Name of the chosen kernels, by operator and shape. */
  choices: Readonly<Record<string, string>>;
}

/**
 * The folder for caches of this user: `XDG_CACHE_HOME`, `LOCALAPPDATA` or `.cache` in the home folder, and in it
 * `pantomime/tuning`. Needs `--allow-env`.
 */
export function defaultTuningFolder(): string {
  const home = Deno.env.get("HOME") ?? ".";
  const caches = Deno.env.get("XDG_CACHE_HOME") ??
    Deno.env.get("LOCALAPPDATA") ?? `${home}/.cache`;
  return `${caches}/pantomime/tuning`;
}

/**
 * Keeps the engine's choices of kernels in files, one for each adapter: what `openDevice({ tune })` takes. Needs
 * `--allow-read` and `--allow-write` for the folder, and nothing unless it is used.
 */
export class TuningFiles {
  readonly #folder: string;
  readonly #warn: (sentence: string) => void;

  /**
   * Nothing is read or written yet.
   * @param folder where the files are; see {@linkcode defaultTuningFolder}
   * @param warn is told, in one sentence, why a file is ignored
   */
  constructor(
    folder: string = defaultTuningFolder(),
    warn: (sentence: string) => void = console.warn,
  ) {
    this.#folder = folder;
    this.#warn = warn;
  }

  /** The file for an adapter. */
  path(adapter: string): string {
    return `${this.#folder}/${fingerprint(adapter)}.json`;
  }

  /** The choices for an adapter; null when there is no file, or one that cannot be used, which is then made anew. */
  async load(
    adapter: string,
  ): Promise<Readonly<Record<string, string>> | null> {
    const path = this.path(adapter);
    let text: string;
    try {
      text = await Deno.readTextFile(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
    const content = parse(text);
    if (!content) {
      this.#warn(
        `${path} is no file of kernel choices; it is ignored and will be made anew.`,
      );
      return null;
    }
    if (content.adapter !== adapter) {
      this.#warn(
        `${path} holds the kernel choices of ${content.adapter}; it is ignored and will be made anew.`,
      );
      return null;
    }
    return content.choices;
  }

  /**
   * Writes the choices for an adapter, whole or not at all.
   * @throws {WeightsError} When the file cannot be written.
   */
  async save(
    adapter: string,
    choices: Readonly<Record<string, string>>,
  ): Promise<void> {
    await Deno.mkdir(this.#folder, { recursive: true });
    const content: Content = { adapter, choices };
    const text = JSON.stringify(content, null, 2) + "\n";
    await writeAtomically(this.path(adapter), [new TextEncoder().encode(text)]);
  }
}

/** The content of a file; null when it is anything else. */
function parse(text: string): Content | null {
  let content: Partial<Content> | null;
  try {
    content = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof content?.adapter !== "string") return null;
  const { adapter, choices } = content;
  return typeof choices === "object" && choices !== null &&
      Object.values(choices).every((name) => typeof name === "string")
    ? { adapter, choices }
    : null;
}

/** A short name for a long one (FNV-1a, twice 32 bits). */
function fingerprint(text: string): string {
  const half = (start: number) => {
    let hash = start;
    for (let k = 0; k < text.length; k++) {
      hash = Math.imul(hash ^ text.charCodeAt(k), 0x01000193);
    }
    return (hash >>> 0).toString(16).padStart(8, "0");
  };
  return half(0x811c9dc5) + half(0x9dc5811c);
}
