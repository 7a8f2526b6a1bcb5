/**
 * @file Whether a file of the catalogue is what its name says. Its content decides; size and SHA-256 only tell the
 * published file from another version of it.
 */
import { createHash } from "node:crypto";
import { openCheckpoint } from "../checkpoint.ts";
import { readOrExplain, WeightsError } from "../errors.ts";
import { arraysOf } from "../formats/state_dict.ts";
import { readEg3d } from "../generator/read.ts";
import { CATALOGUE, type PublishedFile, type WeightsId } from "./catalogue.ts";
import {
  EXPECTED_CONTENT,
  type ExpectedContent,
  type ExpectedTensor,
} from "./expected_content.ts";

/** What was found out about a file. */
export interface Recognition {
  /**
   * `published`: the file itself, byte for byte; `alike`: its content is as it should be, and nothing more is known;
   * `other`: its content is as it should be, but it is not the published file; `wrong`: it cannot be used.
   */
  readonly verdict: "published" | "alike" | "other" | "wrong";
  /** The same in one sentence. */
  readonly sentence: string;
}

/**
 * Looks into a file. All of it is only read to compare its SHA-256, when its length is right.
 * @throws {WeightsError} When it cannot be read at all.
 */
export async function recogniseWeights(
  id: WeightsId,
  path: string,
): Promise<Recognition> {
  try {
    await checkContent(EXPECTED_CONTENT[id], path);
  } catch (error) {
    if (!(error instanceof WeightsError)) throw error;
    return { verdict: "wrong", sentence: error.message };
  }
  return await compareWithPublished(CATALOGUE[id].files, path);
}

async function checkContent(
  content: ExpectedContent,
  path: string,
): Promise<void> {
  switch (content.kind) {
    case "tensors":
      return await checkTensors(content.tensors, path);
    case "eg3d":
      return await checkGenerator(content.pictures, path);
    case "obj":
      return await checkMesh(content, path);
    case "png":
      return await checkPicture(content.side, path);
  }
}

async function checkTensors(
  expected: Readonly<Record<string, ExpectedTensor>>,
  path: string,
): Promise<void> {
  const { root, format } = await openCheckpoint(path);
  // a .npy that holds a dict is an array of one object
  const plain = (name: string) =>
    format === "npy" ? name.replace(/^0\./, "") : name;
  const shapes = new Map(
    [...arraysOf(root)].map(([name, array]) => [plain(name), array.shape]),
  );
  for (const [name, wanted] of Object.entries(expected)) {
    const shape = name.endsWith(".")
      ? [...shapes].find(([other]) => other.startsWith(name))?.[1]
      : shapes.get(name);
    if (!shape) {
      throw new WeightsError(
        `${path} is another file than its name says: it has no ${
          name.replace(/\.$/, "")
        }${listed([...shapes.keys()])}.`,
      );
    }
    if (!fits(shape, wanted)) {
      throw new WeightsError(
        `${path} is another version than is needed: its ${name} is ${
          sizes(shape)
        }, not ${
          typeof wanted === "number" ? `${wanted} numbers` : sizes(wanted!)
        }.`,
      );
    }
  }
}

function fits(shape: readonly number[], wanted: ExpectedTensor): boolean {
  if (wanted === null) return true;
  return typeof wanted === "number"
    ? shape.reduce((a, b) => a * b, 1) === wanted
    : shape.length === wanted.length &&
      shape.every((size, axis) => size === wanted[axis]);
}

function sizes(shape: readonly number[]): string {
  return shape.join(" x ") || "a single number";
}

/** A few of the names that are there instead. */
function listed(names: readonly string[]): string {
  const some = names.slice(0, 3).map((name) =>
    // deno-lint-ignore no-control-regex
    name.slice(0, 60).replace(/[\x00-\x1f\x7f-\x9f]/g, " ")
  );
  return some.length > 0 ? ` but ${some.join(", ")}` : " nor any other tensor";
}

async function checkGenerator(pictures: number, path: string): Promise<void> {
  const { config } = readEg3d(await openCheckpoint(path));
  if (config.img_resolution !== pictures) {
    throw new WeightsError(
      `${path} is another generator than its name says: its pictures have ${config.img_resolution} pixels a side, not ${pictures}.`,
    );
  }
}

async function checkMesh(
  { v, vt, f }: ExpectedContent & { kind: "obj" },
  path: string,
): Promise<void> {
  const text = await readOrExplain(
    "the mesh",
    path,
    () => Deno.readTextFile(path),
  );
  for (const [key, wanted] of Object.entries({ v, vt, f })) {
    const count = text.match(new RegExp(`^${key}\\s`, "gm"))?.length ?? 0;
    if (count === wanted) continue;
    throw new WeightsError(
      `${path} is another mesh than its name says: it has ${count} lines ${key}, not ${wanted}.`,
    );
  }
}

const PNG = [0x89, 0x50, 0x4e, 0x47];

async function checkPicture(side: number, path: string): Promise<void> {
  const bytes = await readOrExplain(
    "the picture",
    path,
    () => Deno.readFile(path),
  );
  const is = bytes.length >= 24 && PNG.every((byte, k) => bytes[k] === byte);
  if (!is) throw new WeightsError(`${path} is no PNG; get it again.`);
  const head = new DataView(bytes.buffer, bytes.byteOffset);
  const [width, height] = [head.getUint32(16), head.getUint32(20)];
  if (width === side && height === side) return;
  throw new WeightsError(
    `${path} is another picture than its name says: it has ${width} x ${height} pixels, not ${side} x ${side}.`,
  );
}

/**
 * Whether a file whose content is as it should be is one of those that were published.
 * @throws {WeightsError} When it cannot be read.
 */
export async function compareWithPublished(
  files: readonly PublishedFile[],
  path: string,
): Promise<Recognition> {
  const known = files.filter(({ bytes, sha256 }) => bytes ?? sha256);
  if (known.length === 0) {
    return {
      verdict: "alike",
      sentence: `${path} holds what it should.`,
    };
  }
  const { size } = await readOrExplain("the file", path, () => Deno.stat(path));
  const likely = known.filter(({ bytes = size }) => bytes === size);
  const hash = likely.length > 0 ? await sha256Of(path) : "";
  const same = likely.some(({ sha256 = "" }) => hash.startsWith(sha256));
  return same
    ? { verdict: "published", sentence: `${path} is the published file.` }
    : {
      verdict: "other",
      sentence:
        `${path} holds what it should, but is not the published file (its ${
          hash ? `SHA-256 is ${hash.slice(0, 8)}...` : `length is ${size}`
        }).`,
    };
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  await readOrExplain("the file", path, async () => {
    using file = await Deno.open(path);
    for await (const piece of file.readable) hash.update(piece);
  });
  return hash.digest("hex");
}
