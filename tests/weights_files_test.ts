/** Optional weights: the catalogue, where its files are looked for, what is found in them, and the command. */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { createHash } from "node:crypto";
import { delimiter, dirname, join } from "node:path";
import { ANIMATE_FLAGS } from "../pipeline/cli/animate_flags.ts";
import { parseFlags } from "../pipeline/cli/args.ts";
import { WEIGHTS, WEIGHTS_FLAGS } from "../pipeline/cli/weights.ts";
import { silentContext } from "../pipeline/context.ts";
import { UsageError } from "../pipeline/errors.ts";
import { writePicture } from "../pipeline/media/picture.ts";
import * as library from "../pipeline/mod.ts";
import { WeightsError } from "../weights/errors.ts";
import { CATALOGUE, type WeightsId } from "../weights/files/catalogue.ts";
import { EXPECTED_CONTENT } from "../weights/files/expected_content.ts";
import {
  findWeights,
  requireWeights,
  searchFolders,
  WEIGHTS_VARIABLE,
} from "../weights/files/find.ts";
import {
  compareWithPublished,
  recogniseWeights,
} from "../weights/files/recognise.ts";
import { plain, scratch } from "./support/media.ts";
import { dict, type Node } from "./support/pickle_writer.ts";
import { NPY_OF_DICT } from "./support/python_pickles.ts";
import { TorchWriter } from "./support/torch_fixtures.ts";

const IDS = Object.keys(CATALOGUE) as WeightsId[];
/** Nothing of the machine is looked at. */
const NOWHERE = () => undefined;

async function write(path: string, bytes: Uint8Array): Promise<string> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeFile(path, bytes);
  return path;
}

/** A state dict with tensors of these shapes, one stored number each. */
function stateDictOf(shapes: Record<string, readonly number[]>): Uint8Array {
  const writer = new TorchWriter("zip");
  const tensors = Object.entries(shapes).map(([name, shape]) => [
    name,
    writer.tensor({
      element: "F32",
      bytes: new Uint8Array(4),
      shape: [...shape],
      strides: shape.map(() => 0),
    }),
  ]);
  return writer.write(
    dict(Object.fromEntries(tensors) as Record<string, Node>),
  );
}

/** Shapes as a file of weights should have them. */
function shapesOf(id: WeightsId): Record<string, readonly number[]> {
  const content = EXPECTED_CONTENT[id];
  if (content.kind !== "tensors") throw new Error(`${id} has no tensors`);
  return Object.fromEntries(
    Object.entries(content.tensors).map(([name, wanted]) => [
      name.endsWith(".") ? `${name}weight` : name,
      typeof wanted === "number" ? [wanted] : wanted ?? [2],
    ]),
  );
}

function isSentence(text: string): void {
  assert(/^\S.*\.$/.test(text), `not a sentence: ${text}`);
}

// The catalogue

Deno.test("every optional file has a use, a licence, a source and a name of its own", () => {
  const names = new Set<string>();
  for (const id of IDS) {
    const { title, enables, licence, obtain, files } = CATALOGUE[id];
    for (const text of [title, enables, licence]) {
      assert(text.length > 3 && !text.endsWith("."), text);
    }
    assert(/https:\/\/\S+/.test(obtain) && !obtain.endsWith("."), obtain);
    for (const { name, bytes = 1, sha256 = "" } of files) {
      assert(!names.has(name), name);
      names.add(name);
      assert(/^([0-9a-f]{64}|[0-9a-f]{8}|)$/.test(sha256), name);
      assert(Number.isInteger(bytes) && bytes > 0, name);
    }
  }
});

Deno.test("every optional file has a reader: a flag of animate, or a function of the library", () => {
  for (const id of IDS) {
    const { reader } = CATALOGUE[id];
    const known = reader.startsWith("--")
      ? reader.slice(2) in ANIMATE_FLAGS
      : reader in library;
    assert(known, `nothing is called ${reader}, which is to read ${id}`);
  }
});

Deno.test("torchvision's names have the beginning of their SHA-256", () => {
  const named = IDS.flatMap((id) => CATALOGUE[id].files)
    .map(({ name, sha256 }) => [/-([0-9a-f]{8})\.pth$/.exec(name)?.[1], sha256])
    .filter(([begins]) => begins !== undefined);
  assertEquals(named.length, 5);
  for (const [begins, sha256] of named) assert(sha256!.startsWith(begins!));
});

// Where files are looked for

Deno.test("named folders come before the environment's, and these before the usual ones", () => {
  const env: Record<string, string> = {
    [WEIGHTS_VARIABLE]: `/data/a${delimiter}rel${delimiter}`,
    HOME: "/home/me",
    INIT_CWD: "/home/me/work",
  };
  const folders = searchFolders({
    folders: ["/own"],
    env: (name) => env[name],
  });
  assertEquals(folders.map(({ path }) => path), [
    "/own",
    "/data/a",
    "/home/me/work/rel",
    "/home/me/work/pretrained",
    "/home/me/.cache/pantomime",
    "/home/me/.cache/torch/hub/checkpoints",
  ]);
  assertEquals(folders[1].because, WEIGHTS_VARIABLE);
  const moved = { XDG_CACHE_HOME: "/c", TORCH_HOME: "/t" } as typeof env;
  assertEquals(
    searchFolders({ env: (name) => moved[name] }).slice(-2)
      .map(({ path }) => path),
    ["/c/pantomime", "/t/hub/checkpoints"],
  );
});

Deno.test("a file is found in a folder, in those that are usual within it, and by its older name", async () => {
  await using folder = scratch();
  const search = { folders: [folder.path], env: NOWHERE };
  assertEquals(await findWeights("lpips-vgg16-head", search), null);
  // a folder of that name is no file
  await Deno.mkdir(folder.file("vgg.pth"));
  assertEquals(await findWeights("lpips-vgg16-head", search), null);
  const deep = await write(
    folder.file("lpips/weights/v0.1/vgg.pth"),
    new Uint8Array(1),
  );
  assertEquals(await findWeights("lpips-vgg16-head", search), deep);
  const old = await write(
    folder.file("alexnet-owt-4df8aa71.pth"),
    new Uint8Array(1),
  );
  assertEquals(await findWeights("lpips-alexnet", search), old);
  assertEquals(await requireWeights("lpips-alexnet", search), old);
});

Deno.test("missing weights are told in one sentence: what for, where from, where it was looked", async () => {
  await using folder = scratch();
  const { message } = await assertRejects(
    () => requireWeights("flame", { folders: [folder.path], env: NOWHERE }),
    WeightsError,
  );
  isSentence(message);
  for (
    const part of [
      "generic_model.pkl (FLAME 2020)",
      CATALOGUE.flame.enables,
      folder.path,
      join(Deno.cwd(), "pretrained"),
      "register at https://flame.is.tue.mpg.de",
      CATALOGUE.flame.licence,
      WEIGHTS_VARIABLE,
    ]
  ) assertStringIncludes(message, part);
});

// What is in them

Deno.test("every network is recognised by its names and shapes", async () => {
  await using folder = scratch();
  for (const id of IDS) {
    if (EXPECTED_CONTENT[id].kind !== "tensors") continue;
    const { files } = CATALOGUE[id];
    const path = await write(
      folder.file(files[0].name),
      stateDictOf(shapesOf(id)),
    );
    const { verdict, sentence } = await recogniseWeights(id, path);
    const known = files.some(({ bytes, sha256 }) => bytes ?? sha256);
    assertEquals(verdict, known ? "other" : "alike", sentence);
    isSentence(sentence);
  }
});

Deno.test("a file that is something else is named with the key that it lacks", async () => {
  await using folder = scratch();
  const path = await write(
    folder.file("alex.pth"),
    stateDictOf({ "features.0.weight": [64, 3, 11, 11] }),
  );
  const { verdict, sentence } = await recogniseWeights(
    "lpips-alexnet-head",
    path,
  );
  assertEquals(verdict, "wrong");
  assertEquals(
    sentence,
    `${path} is another file than its name says: it has no lin0.model.1.weight but features.0.weight.`,
  );
});

Deno.test("another version is named with the key whose shape differs", async () => {
  await using folder = scratch();
  const path = await write(
    folder.file("generic_model.pkl"),
    stateDictOf({ ...shapesOf("flame"), shapedirs: [5023, 3, 150] }),
  );
  const { verdict, sentence } = await recogniseWeights("flame", path);
  assertEquals(verdict, "wrong");
  assertStringIncludes(
    sentence,
    "its shapedirs is 5023 x 3 x 150, not 5023 x 3 x 400.",
  );
});

Deno.test("the arrays of a .npy that holds a dict go by their keys", async () => {
  await using folder = scratch();
  const path = await write(
    folder.file("landmark_embedding.npy"),
    Uint8Array.fromBase64(NPY_OF_DICT),
  );
  const { sentence } = await recogniseWeights("flame-landmarks", path);
  assertStringIncludes(
    sentence,
    "it has no static_lmk_faces_idx but full_lmk_faces_idx.",
  );
});

Deno.test("a web page, a damaged file and an empty one are told as such", async () => {
  await using folder = scratch();
  const verdictOf = async (text: string) => {
    const path = folder.file("deca_model.tar");
    await Deno.writeTextFile(path, text);
    const { verdict, sentence } = await recogniseWeights("deca", path);
    assertEquals(verdict, "wrong");
    isSentence(sentence);
    return sentence;
  };
  assertStringIncludes(await verdictOf("<!doctype html>"), "is a web page");
  assertStringIncludes(await verdictOf(""), "is empty");
  await verdictOf("PK\x03\x04 and no more");
});

Deno.test("a generator is recognised as one of EG3D's or refused", async () => {
  await using folder = scratch();
  const path = await write(
    folder.file("ffhq512-128.pkl"),
    stateDictOf({ "features.0.weight": [2] }),
  );
  const { verdict, sentence } = await recogniseWeights(
    "eg3d-ffhq512-128",
    path,
  );
  assertEquals(verdict, "wrong");
  assertStringIncludes(sentence, "has no network G_ema");
});

Deno.test("a mesh is recognised by its lines, a mask by its pixels", async () => {
  await using folder = scratch();
  const mesh = folder.file("head_template.obj");
  const lines = (count: number, line: string) => `${line}\n`.repeat(count);
  const body = lines(5118, "vt 0 0") + lines(9976, "f 1/1 2/2 3/3");
  await Deno.writeTextFile(mesh, lines(5023, "v 0 0 0") + body);
  assertEquals(
    (await recogniseWeights("flame-template", mesh)).verdict,
    "alike",
  );
  await Deno.writeTextFile(mesh, lines(6890, "v 0 0 0") + body);
  assertStringIncludes(
    (await recogniseWeights("flame-template", mesh)).sentence,
    "it has 6890 lines v, not 5023.",
  );
  const mask = folder.file("uv_face_eye_mask.png");
  await writePicture(mask, plain(256, 256, 255));
  assertEquals((await recogniseWeights("flame-mask", mask)).verdict, "alike");
  await writePicture(mask, plain(512, 256, 255));
  assertStringIncludes(
    (await recogniseWeights("flame-mask", mask)).sentence,
    "512 x 256 pixels, not 256 x 256",
  );
});

Deno.test("the published file is told from others by its length and its SHA-256", async () => {
  await using folder = scratch();
  const bytes = new TextEncoder().encode("weights");
  const path = await write(folder.file("x.pth"), bytes);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const verdict = async (file: { bytes?: number; sha256?: string }) =>
    (await compareWithPublished([{ name: "x.pth", ...file }], path)).verdict;
  assertEquals(await verdict({ bytes: 7, sha256 }), "published");
  assertEquals(await verdict({ sha256: sha256.slice(0, 8) }), "published");
  assertEquals(await verdict({ bytes: 8, sha256 }), "other");
  assertEquals(await verdict({ bytes: 7, sha256: "0".repeat(64) }), "other");
  assertEquals(await verdict({}), "alike");
});

// The command

Deno.test("the command lists all files, says of those that are here what they are, and writes JSON", async () => {
  await using folder = scratch();
  await write(
    folder.file("a/alex.pth"),
    stateDictOf(shapesOf("lpips-alexnet-head")),
  );
  await write(folder.file("b/vgg.pth"), stateDictOf({ other: [1] }));
  const json = folder.file("list.json");
  const list = `${folder.file("b")}${delimiter}${folder.path}`;
  const lines: string[] = [];
  await WEIGHTS.run(
    parseFlags(WEIGHTS_FLAGS, [
      ...["--weights", folder.file("a"), "--weights", list, "--json", json],
    ]),
    { ...silentContext(), print: (line) => lines.push(line) },
  );
  const text = lines.join("\n");
  for (const id of IDS) assertStringIncludes(text, CATALOGUE[id].files[0].name);
  assertStringIncludes(text, "loadLpips, a function of the library");
  assertStringIncludes(
    text,
    "alex.pth holds what it should, but is not the pub",
  );
  assertStringIncludes(text, "vgg.pth is another file than its name says");
  const { weights, folders } = JSON.parse(await Deno.readTextFile(json));
  assertEquals(weights.length, IDS.length);
  assertEquals(
    folders.slice(0, 3).map(({ path }: { path: string }) => path),
    [folder.file("a"), folder.file("b"), folder.path],
  );
  const entry = (id: WeightsId) =>
    weights.find((w: { id: string }) => w.id === id);
  assertEquals(entry("lpips-alexnet-head").recognition.verdict, "other");
  assertEquals(entry("lpips-vgg16-head").recognition.verdict, "wrong");
});

Deno.test("a folder that is not there is refused when it was named", async () => {
  const { message } = await assertRejects(
    () =>
      WEIGHTS.run({ weights: ["/no/such/folder"] }, silentContext()) as Promise<
        void
      >,
    UsageError,
  );
  assertStringIncludes(message, "--weights /no/such/folder is no folder");
});
