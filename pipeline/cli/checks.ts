/**
 * What `doctor` looks at. Each check answers by itself and never throws: a machine without a driver
 * still wants to hear about the rest.
 *
 * @module
 */
import { format as formatBytes } from "@std/fmt/bytes";
import { fromFileUrl } from "@std/path";
import { type Device, openDevice } from "../../engine/device.ts";
import { findNpmPackage } from "../../weights/files/npm_package.ts";
import { loadMannequin } from "../../weights/mannequin/mod.ts";
import { FFMPEG_ADVICE, ffmpegVersion } from "../media/ffmpeg.ts";
import { loadSharp } from "../media/sharp.ts";
import { BUNDLED_DRIVING, BUNDLED_SOURCE } from "../options.ts";
import {
  driverAdvice,
  type DriverFiles,
  findDriverFiles,
  hasVulkan,
  isSlowDriver,
} from "./driver.ts";

/** One line of the doctor's report. */
export interface Finding {
  /** What was looked at. */
  readonly name: string;
  /**
   * `good`; `missing` when nothing works without it; `absent` when something optional is not there;
   * `poor` when it works, but could work better.
   */
  readonly state: "good" | "missing" | "absent" | "poor";
  /** What was found. */
  readonly value: string;
  /** What to do, one sentence, unless all is well. */
  readonly advice?: string;
}

/** The parts of the report, in order, each under its heading. */
export async function examine(): Promise<Record<string, Finding[]>> {
  const files = await findDriverFiles();
  return {
    Software: [denoFinding(), machineFinding(), await sharpFinding()],
    GPU: await gpuFindings(files),
    "Weights and defaults": [
      await mannequinFinding(),
      await faceModelsFinding(),
      await fileFinding("bundled portrait", BUNDLED_SOURCE),
      await fileFinding("bundled motion", BUNDLED_DRIVING),
    ],
    Optional: [await ffmpegFinding()],
  };
}

function denoFinding(): Finding {
  const { deno, v8, typescript } = Deno.version;
  const [major, minor] = deno.split(".").map(Number);
  const value = `${deno}, V8 ${v8}, TypeScript ${typescript}`;
  if (major > 2 || major === 2 && minor >= 9) {
    return { name: "Deno", state: "good", value };
  }
  const advice = "Run deno upgrade: Pantomime needs 2.9 or newer.";
  return { name: "Deno", state: "missing", value, advice };
}

function machineFinding(): Finding {
  const { os, arch } = Deno.build;
  const value = `${os} ${arch}, ${navigator.hardwareConcurrency} CPU threads`;
  return { name: "machine", state: "good", value };
}

async function sharpFinding(): Promise<Finding> {
  return await attempt("image library", async () => {
    const { versions } = await loadSharp();
    return `sharp ${versions.sharp}, libvips ${versions.vips}`;
  });
}

async function gpuFindings(files: DriverFiles): Promise<Finding[]> {
  try {
    using device = await openDevice();
    return [
      adapterFinding(device, files),
      driverFinding(files),
      await computeFinding(device),
      { name: "limits", state: "good", value: limits(device.gpu.limits) },
      {
        name: "features",
        state: "good",
        value: [...device.gpu.features].sort().join(", "),
      },
    ];
  } catch (error) {
    const advice = sentence(driverAdvice(files));
    const value = `none (${firstSentence(error)})`;
    return [
      { name: "adapter", state: "missing", value, advice },
      driverFinding(files),
    ];
  }
}

function adapterFinding(device: Device, files: DriverFiles): Finding {
  const { description, vendor, isFallbackAdapter } = device.info;
  const kind = isFallbackAdapter ? "computes on the CPU" : "GPU";
  const value = `${description || vendor} (${kind}; kernels tuned for ${
    device.profile === "cpu" ? "CPUs" : "GPUs"
  })`;
  const poor = (advice: string): Finding => ({
    name: "adapter",
    state: "poor",
    value,
    advice,
  });
  if (!hasVulkan(files)) {
    return poor(
      `It answers through OpenGL; for Vulkan, ${driverAdvice(files)}.`,
    );
  }
  if (isSlowDriver(description, files)) {
    return poor(
      `mesa-vulkan-drivers ${files.mesa} works; 25.0 from your distribution's ` +
        "backports is three times as fast.",
    );
  }
  return { name: "adapter", state: "good", value };
}

function driverFinding(files: DriverFiles): Finding {
  const parts = [
    files.mesa && `mesa-vulkan-drivers ${files.mesa}`,
    files.nvidia && `NVIDIA ${files.nvidia}`,
    files.drivers.length > 0 && `registered: ${files.drivers.join(", ")}`,
    Deno.build.os === "linux" &&
    (files.loader ?? "no Vulkan loader (libvulkan.so.1)"),
  ];
  const value = parts.filter(Boolean).join("; ") || "the system's own";
  const state = hasVulkan(files) ? "good" : "absent";
  return { name: "driver files", state, value };
}

/** A driver may answer and still compute nothing: some have returned zeros. */
async function computeFinding(device: Device): Promise<Finding> {
  const name = "computing";
  const advice = "Bring the GPU driver up to date.";
  try {
    const begun = performance.now();
    const [numbers] = await device.read(device.full([1 << 16], 1.5));
    const took = Math.round(performance.now() - begun);
    if (numbers.every((number) => number === 1.5)) {
      return {
        name,
        state: "good",
        value: `a kernel ran and was read back in ${took} ms`,
      };
    }
    return {
      name,
      state: "missing",
      value: "a kernel gave wrong numbers",
      advice,
    };
  } catch (error) {
    return { name, state: "missing", value: firstSentence(error), advice };
  }
}

function limits(found: GPUSupportedLimits): string {
  const size = (bytes: number) =>
    formatBytes(bytes, { binary: true }).replace(".00", "");
  return [
    `buffer ${size(found.maxBufferSize)}`,
    `binding ${size(found.maxStorageBufferBindingSize)}`,
    `${found.maxStorageBuffersPerShaderStage} storage buffers per kernel`,
    `workgroup memory ${size(found.maxComputeWorkgroupStorageSize)}`,
    `${found.maxComputeInvocationsPerWorkgroup} invocations per workgroup`,
    `${found.maxComputeWorkgroupsPerDimension} workgroups each way`,
  ].join(", ");
}

async function mannequinFinding(): Promise<Finding> {
  return await attempt("bundled generator", async () => {
    const { config, tensors } = await loadMannequin();
    return `${tensors.size} tensors, ${config.img_resolution} px`;
  });
}

async function faceModelsFinding(): Promise<Finding> {
  return await attempt("face networks", async () => {
    const { name, folder } = findNpmPackage("@vladmandic/human");
    const models = ["blazeface", "facemesh", "faceres"];
    for (const model of models) {
      await Deno.stat(`${folder}/models/${model}.json`);
    }
    return `${models.join(", ")} (npm package ${name})`;
  });
}

async function fileFinding(name: string, path: string): Promise<Finding> {
  return await attempt(name, async () => {
    const { size } = await Deno.stat(path).catch(() => {
      throw new Error(`${path} is not there`);
    });
    return `${path.replace(projectFolder(), "")}, ${formatBytes(size)}`;
  });
}

async function ffmpegFinding(): Promise<Finding> {
  const [ffmpeg, ffprobe] = [
    await ffmpegVersion("ffmpeg"),
    await ffmpegVersion("ffprobe"),
  ];
  if (ffmpeg && ffprobe) {
    return { name: "ffmpeg", state: "good", value: ffmpeg };
  }
  const value = ffmpeg ? "ffprobe was not found" : "not found";
  const advice = `For videos as input and MP4 as output, ${FFMPEG_ADVICE}.`;
  return { name: "ffmpeg", state: "absent", value, advice };
}

/** Something that has to be there, found by trying it. */
async function attempt(
  name: string,
  look: () => Promise<string>,
): Promise<Finding> {
  try {
    return { name, state: "good", value: await look() };
  } catch (error) {
    const advice =
      "Run deno install in Pantomime's folder; if that does not help, get a fresh " +
      "copy of Pantomime.";
    return { name, state: "missing", value: firstSentence(error), advice };
  }
}

function firstSentence(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.trim().split("\n")[0].replace(/\.$/, "");
}

function sentence(text: string): string {
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}

function projectFolder(): string {
  return fromFileUrl(new URL("../../", import.meta.url));
}
