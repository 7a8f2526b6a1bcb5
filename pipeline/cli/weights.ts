/**
 * `weights`: which published files Pantomime can use, which of them are here, and where to get the others.
 *
 * @module
 */
import { bold, dim, green, red, yellow } from "@std/fmt/colors";
import { isFolder } from "../../weights/files/atomic.ts";
import {
  CATALOGUE,
  type OptionalWeights,
  type WeightsId,
} from "../../weights/files/catalogue.ts";
import {
  findWeights,
  type SearchFolder,
  searchFolders,
  WEIGHTS_VARIABLE,
} from "../../weights/files/find.ts";
import {
  recogniseWeights,
  type Recognition,
} from "../../weights/files/recognise.ts";
import { UsageError } from "../errors.ts";
import { writeFileAtomic } from "../media/files.ts";
import type { Command } from "./command.ts";
import type { FlagTable } from "./flags.ts";
import { runAsMain } from "./main.ts";

/** The flags of `weights`. */
export const WEIGHTS_FLAGS = {
  weights: {
    kind: "folders",
    value: "FOLDER",
    help:
      "Where to look first; may be given again, and take several folders with separators as in " +
      `PATH. Those in ${WEIGHTS_VARIABLE} come next, then ./pretrained and the caches of Pantomime ` +
      "and PyTorch.",
  },
  json: {
    kind: "path",
    value: "FILE",
    help: "Write the list as JSON, for a program.",
  },
} as const satisfies FlagTable;

/** One of the optional weights, and what there is of it here. */
interface Entry extends OptionalWeights {
  readonly id: WeightsId;
  /** The file, null when it was not found. */
  readonly path: string | null;
  /** What it is, null when it was not found. */
  readonly recognition: Recognition | null;
}

/** The command. Nothing is downloaded, and no code in a file is run. */
export const WEIGHTS: Command<typeof WEIGHTS_FLAGS> = {
  name: "weights",
  summary:
    "Lists the published weights that Pantomime can use: what each is for, under which licence, and whether it is here.",
  flags: WEIGHTS_FLAGS,
  examples: [
    { line: "./run weights", says: "looks in the usual folders" },
    {
      line: "./run weights --weights ~/DECA/data --weights ~/eg3d/networks",
      says: "looks in folders of your own first",
    },
  ],
  async run({ weights: folders, json }, { print }) {
    for (const path of folders ?? []) {
      if (await isFolder(path)) continue;
      throw new UsageError(
        `--weights ${path} is no folder; name the folder that the files are in.`,
      );
    }
    const looked = searchFolders({ folders });
    const entries: Entry[] = [];
    for (const id of Object.keys(CATALOGUE) as WeightsId[]) {
      const path = await findWeights(id, { folders });
      const recognition = path && await recogniseWeights(id, path);
      entries.push({
        id,
        ...CATALOGUE[id],
        path,
        recognition: recognition || null,
      });
    }
    for (const line of await report(looked, entries)) print(line);
    if (json === undefined) return;
    const content = { folders: looked, weights: entries };
    await writeFileAtomic(json, JSON.stringify(content, null, 2) + "\n");
  },
};

const MARKS: Record<Recognition["verdict"], () => string> = {
  published: () => green("✓"),
  alike: () => green("✓"),
  other: () => yellow("!"),
  wrong: () => red("✗"),
};

async function report(
  looked: readonly SearchFolder[],
  entries: readonly Entry[],
): Promise<string[]> {
  const count =
    entries.filter(({ recognition }) =>
      recognition !== null && recognition.verdict !== "wrong"
    ).length;
  const folders = await Promise.all(looked.map(async ({ path, because }) => {
    const why = because === WEIGHTS_VARIABLE ? ` (${because})` : "";
    return `  ${path}${dim(why)}${
      await isFolder(path) ? "" : dim(" (not there)")
    }`;
  }));
  return [
    ...entries.flatMap(describe),
    bold("Looked in"),
    ...folders,
    "",
    `${count} of ${entries.length} can be used. Everything works without them; they stay under their own licences.`,
  ];
}

function describe(entry: Entry): string[] {
  const { title, enables, reader, licence, obtain, files, recognition } = entry;
  const mark = recognition ? MARKS[recognition.verdict]() : dim("-");
  return [
    `${mark} ${bold(files[0].name)}  ${title}`,
    `    for      ${enables}`,
    `    by       ${readerOf(reader)}`,
    `    licence  ${licence}`,
    ...files.map((file) => `    ${dim(factsOf(file))}`),
    recognition
      ? `    here     ${recognition.sentence}`
      : `    to get   ${obtain}`,
    ...(recognition?.verdict === "wrong" ? [`    to get   ${obtain}`] : []),
    "",
  ];
}

/** What reads a file. */
function readerOf(reader: OptionalWeights["reader"]): string {
  return reader.startsWith("--")
    ? reader
    : `${reader}, a function of the library; no command reads it`;
}

/** What is publicly known of a file. */
function factsOf({ name, bytes, sha256 }: OptionalWeights["files"][number]) {
  const length = bytes === undefined
    ? "size unknown"
    : `${bytes.toLocaleString("en")} bytes`;
  const hash = sha256 === undefined
    ? "SHA-256 unknown"
    : `SHA-256 ${sha256}${sha256.length < 64 ? "..." : ""}`;
  return `file     ${name}: ${length}, ${hash}`;
}

if (import.meta.main) await runAsMain(WEIGHTS);
