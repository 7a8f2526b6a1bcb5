/**
 * How well do portraits invert, by generator and by the network that compares pictures? Each
 * portrait is projected and tuned once per network, with the same steps:
 *
 *     deno run -A bench/portraits.ts [--generator FILE] [--w-steps 40] [--tune-steps 60] [--out DIR] [--only NAME] PORTRAIT...
 *
 * Prints, per network, the mean over portraits of: PSNR (dB) and distance of faceres' features,
 * after projection and after tuning; identity of the tuned head at the source's view and turned by
 * 20 degrees; and seconds a step. With --out, a sheet per portrait shows what the numbers mean:
 * portrait, projected, tuned, turned, and the turned head's depth.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { affine, type Device, openDevice } from "../engine/mod.ts";
import { loadMannequin, readGenerator } from "../weights/mod.ts";
import {
  cameraAngles,
  cameraFromAngles,
  cameraLabel,
} from "../pipeline/face/camera.ts";
import {
  FaceDescriber,
  identitySimilarity,
} from "../pipeline/face/description.ts";
import { findFaces, loadFaceNetworks } from "../pipeline/face/find.ts";
import { Network } from "../pipeline/face/network.ts";
import { loadPortrait } from "../pipeline/face/portrait.ts";
import { renderHead, synthesis } from "../pipeline/generator/generator.ts";
import {
  copyGenerator,
  type Generator,
  loadGenerator,
  releaseGenerator,
} from "../pipeline/generator/state.ts";
import { project } from "../pipeline/inversion/project.ts";
import { tune } from "../pipeline/inversion/tune.ts";
import {
  type FeatureNetwork,
  perceptualDistance,
  unitFeatures,
} from "../pipeline/losses/perceptual.ts";
import { loadFaceFeatures } from "../pipeline/losses/networks.ts";
import { sideBySide } from "../pipeline/media/compare.ts";
import { ensureFolder } from "../pipeline/media/files.ts";
import {
  type Picture,
  resize,
  writePicture,
} from "../pipeline/media/picture.ts";
import { presetOf } from "../pipeline/presets.ts";
import { defaultAnimateOptions } from "../pipeline/options.ts";
import { psnr } from "../pipeline/quality.ts";
import { pictureOf } from "../pipeline/results.ts";
import { silentContext } from "../pipeline/context.ts";
import {
  expressionTargets,
  SUPERSAMPLING,
} from "../pipeline/transfer/targets.ts";
import { readMotion } from "../pipeline/reenactment/motion_file.ts";
import { BUNDLED_DRIVING } from "../pipeline/options.ts";

const flags = parseArgs(Deno.args, {
  string: ["generator", "w-steps", "tune-steps", "out", "only"],
});
const wSteps = Number(flags["w-steps"] ?? 40),
  tuneSteps = Number(flags["tune-steps"] ?? 60);
const preset = presetOf({ ...defaultAnimateOptions(), wSteps, tuneSteps });

using device = await openDevice();
const faces = await loadFaceNetworks(device);
const describer = await FaceDescriber.load(device);
const original = loadGenerator(
  device,
  flags.generator
    ? await readGenerator(flags.generator)
    : await loadMannequin(),
);
const eye = await loadFaceFeatures(device);
const side = original.config.img_resolution;
const motion = await readMotion(BUNDLED_DRIVING);
const still = {
  ...motion,
  frames: [motion.frames[motion.neutral]],
  neutral: 0,
};

const candidates: Record<string, () => Promise<FeatureNetwork>> = {
  "none (squared error only)": () =>
    Promise.resolve({ name: "none", features: () => [] }),
  "faceres (face description)": () => loadFaceFeatures(device),
  "MobileNet-v2": () =>
    imageNetwork("mobilenet_v2", [
      "Conv1_relu",
      "block_2_expand_relu",
      "block_6_expand_relu",
    ]),
  "Inception-v3": () =>
    imageNetwork("inception_v3", ["activation_3", "mixed0", "mixed3"]),
};

const rows: Record<string, Record<string, string>> = {};
for (const [name, load] of Object.entries(candidates)) {
  if (!name.includes(flags.only ?? "")) continue;
  const network = await load();
  const results: Trial[] = [];
  for (const path of flags._.map(String)) {
    results.push(await trial(device, path, network));
  }
  const mean = (key: keyof Trial) =>
    results.reduce((sum, r) => sum + r[key], 0) / results.length;
  rows[name] = {
    "projected dB": mean("projected").toFixed(2),
    "features": mean("projectedFeatures").toFixed(3),
    "tuned dB": mean("tuned").toFixed(2),
    "features after": mean("tunedFeatures").toFixed(3),
    "identity": mean("identity").toFixed(3),
    "identity turned": mean("turned").toFixed(3),
    "s / step": mean("seconds").toFixed(2),
  };
  console.log(name, JSON.stringify(rows[name]));
}
console.table(rows);

interface Trial {
  projected: number;
  projectedFeatures: number;
  tuned: number;
  tunedFeatures: number;
  identity: number;
  turned: number;
  seconds: number;
}

async function trial(
  device: Device,
  path: string,
  network: FeatureNetwork,
): Promise<Trial> {
  using _scope = device.scope();
  const portrait = await loadPortrait(
    faces,
    path,
    SUPERSAMPLING * side,
    undefined,
    silentContext().progress,
  );
  const label = cameraLabel(portrait.cam2world);
  const targets = await expressionTargets(
    device,
    portrait,
    still,
    side,
    {},
    () => {},
  );
  const target = targets.portrait, truth = pictureOf(target.edited);
  const begin = performance.now();
  const perceptual = network.name === "none" ? { perceptual: 0 } : {};
  const { ws: [w] } = await project(
    device,
    original,
    network,
    label,
    [target],
    { ...preset.projection, ...perceptual },
  );
  const tuned = copyGenerator(device, original);
  await tune(device, tuned, network, label, [{
    w,
    picture: target.edited,
    face: target.face,
  }], {
    ...preset.tuning,
    ...perceptual,
  });
  const seconds = (performance.now() - begin) / 1000 / (wSteps + tuneSteps);
  const angles = cameraAngles(portrait.cam2world);
  const turnedLabel = cameraLabel(
    cameraFromAngles({ ...angles, yaw: angles.yaw + 20 }),
  );
  const views = [
    await look(original, w, label),
    await look(tuned, w, label),
    await look(tuned, w, turnedLabel),
  ];
  if (flags.out) {
    await ensureFolder(flags.out);
    const file = `${flags.out}/${
      path.split("/").at(-1)!.split(".")[0]
    }_${network.name}.png`;
    const depth = await depthOf(tuned, w, turnedLabel);
    await writePicture(file, await sideBySide([truth, ...views, depth], 192));
  }
  releaseGenerator(tuned);
  const identities = await identity(truth, views.slice(1));
  return {
    projected: psnr(views[0].data, truth.data),
    projectedFeatures: await featureDistance(views[0], truth),
    tuned: psnr(views[1].data, truth.data),
    tunedFeatures: await featureDistance(views[1], truth),
    identity: identities[0],
    turned: identities[1],
    seconds,
  };
}

async function look(
  generator: Generator,
  w: Float32Array,
  label: Float32Array,
): Promise<Picture> {
  return pictureOf(await renderHead(generator, w, label));
}

/** Distances along the rays, near is bright. */
async function depthOf(
  generator: Generator,
  w: Float32Array,
  label: Float32Array,
): Promise<Picture> {
  using _scope = device.scope();
  const { depth } = device.withoutTape(() =>
    synthesis(
      generator,
      device.tensor(w, [1, w.length]),
      device.tensor(label, [1, 25]),
    )
  );
  const [near, far] = [2.4, 2.9];
  const grey = (await depth.data()).map((t) =>
    Math.min(Math.max(1 - 2 * (t - near) / (far - near), -1), 1)
  );
  return pictureOf(new Float32Array([...grey, ...grey, ...grey]));
}

/** How far apart two pictures look to faceres. */
async function featureDistance(a: Picture, b: Picture): Promise<number> {
  using _scope = device.scope();
  const features = [a, b].map(({ data, width, height }) => {
    const planar = new Float32Array(3 * width * height);
    for (let k = 0; k < planar.length; k++) {
      const plane = width * height;
      planar[(k % 3) * plane + Math.floor(k / 3)] = data[k] / 127.5 - 1;
    }
    const picture = device.tensor(planar, [1, 3, height, width]);
    return device.withoutTape(() => unitFeatures(eye, picture));
  });
  return await device.withoutTape(() =>
    perceptualDistance(features[0], features[1])
  ).item();
}

/** Similarity of each picture's face to the first one's; 0 where no face is found. */
async function identity(
  truth: Picture,
  views: readonly Picture[],
): Promise<number[]> {
  const described = [];
  for (const picture of [truth, ...views]) {
    const large = await resize(picture, 256, 256);
    const [face] = await findFaces(faces, large);
    described.push(
      face
        ? (await describer.describe(large, face.landmarks.points)).descriptor
        : null,
    );
  }
  const [own, ...others] = described;
  return others.map((other) =>
    own && other ? identitySimilarity(own, other) : 0
  );
}

async function imageNetwork(
  model: "mobilenet_v2" | "inception_v3",
  maps: string[],
): Promise<FeatureNetwork> {
  const network = await Network.load(device, model, { maps });
  return {
    name: model,
    features: (pictures) => network.run(affine(pictures, 0.5, 0.5), maps),
  };
}
