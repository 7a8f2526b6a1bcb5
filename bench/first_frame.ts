/**
 * Rows for the time from the start of a process to its first picture, with an
 * empty shader cache (cold) and with the one that the cold start left (warm).
 * Run as a program, it makes that picture and reports on itself.
 *
 * @module
 */
import { openDevice, Random } from "../engine/mod.ts";
import { median, type Timing } from "./measure.ts";

/** A row that starts a process. */
export interface ProcessRow {
  /** What `--only` picks. */
  readonly group: string;
  /** What it is. */
  readonly name: string;
  /** Whether the shader cache is filled by a run that is not counted. */
  readonly warm: boolean;
}

/** Cold and warm first pictures of the default generator. */
export const firstFrameRows: readonly ProcessRow[] = [
  { group: "start", name: "first picture, empty shader cache", warm: false },
  { group: "start", name: "first picture, shader cache filled", warm: true },
];

/** What the process says of itself. */
interface Account {
  pipelines: number;
  compilation: number;
  dispatches: number;
}

/** By its name, since that is what `--allow-run=deno` grants. */
const DENO = "deno";
/** Starts; each takes seconds. */
const RUNS = 3;

/** Times a row; without the permission to run Deno it has no figure. */
export async function measureProcess(
  { group, name, warm }: ProcessRow,
  runs: number = RUNS,
): Promise<Timing> {
  const bare = { name, group, ours: null, peers: {}, ratio: null };
  const permission = await Deno.permissions.query({
    name: "run",
    command: DENO,
  });
  if (permission.state !== "granted") {
    return { ...bare, notes: ["needs --allow-run=deno"] };
  }
  const times: number[] = [];
  let account: Account | undefined, cache = await Deno.makeTempDir();
  if (warm) await start(cache);
  for (let k = 0; k < runs; k++) {
    const begin = performance.now();
    account = await start(cache);
    times.push(performance.now() - begin);
    if (!warm) {
      await Deno.remove(cache, { recursive: true });
      cache = await Deno.makeTempDir();
    }
  }
  await Deno.remove(cache, { recursive: true });
  const { pipelines, compilation, dispatches } = account!;
  return {
    ...bare,
    ours: median(times),
    runs,
    notes: [
      `${pipelines} pipelines in ${
        compilation.toFixed(0)
      } ms, ${dispatches} dispatches`,
    ],
  };
}

async function start(cache: string): Promise<Account> {
  const { success, stdout, stderr } = await new Deno.Command(DENO, {
    args: ["run", "--quiet", "--no-prompt", "--allow-read", import.meta.url],
    env: { MESA_SHADER_CACHE_DIR: cache },
  }).output();
  const text = new TextDecoder();
  if (!success) throw new Error(text.decode(stderr).trim());
  return JSON.parse(text.decode(stdout));
}

async function firstPicture(): Promise<Account> {
  const { loadMannequin } = await import("../weights/mod.ts");
  const { loadGenerator } = await import("../pipeline/generator/state.ts");
  const { mapping } = await import("../pipeline/generator/mapping.ts");
  const { synthesis } = await import("../pipeline/generator/generator.ts");
  const { FRONTAL } = await import("./mannequin.ts");
  using device = await openDevice();
  let pipelines = 0, compilation = 0;
  const create = device.gpu.createComputePipeline.bind(device.gpu);
  device.gpu.createComputePipeline = (descriptor) => {
    const begin = performance.now(), pipeline = create(descriptor);
    compilation += performance.now() - begin;
    pipelines++;
    return pipeline;
  };
  const generator = loadGenerator(device, await loadMannequin());
  const camera = device.tensor(FRONTAL, [1, 25]);
  const z = new Random(device, 1).normal([1, generator.config.z_dim]);
  const { image } = device.withoutTape(() =>
    synthesis(generator, mapping(generator, z, camera), camera)
  );
  await image.data();
  return { pipelines, compilation, dispatches: device.dispatches };
}

if (import.meta.main) console.log(JSON.stringify(await firstPicture()));
