/**
 * @file The catalogue of published weights that Pantomime can use but does not bring along: what each enables, under
 * which licence and from where people get it, how it is recognised. None of them is needed by the default pipeline,
 * and nothing is downloaded. Sizes and SHA-256 stand where they are publicly known.
 */

/** Name of an entry of {@linkcode CATALOGUE}. */
export type WeightsId =
  | "eg3d-ffhq512-64"
  | "eg3d-ffhq512-128"
  | "eg3d-ffhqrebalanced512-64"
  | "eg3d-ffhqrebalanced512-128"
  | "eg3d-afhqcats512-128"
  | "eg3d-shapenetcars128-64"
  | "deca"
  | "flame"
  | "flame-landmarks"
  | "flame-template"
  | "flame-mask"
  | "lpips-alexnet"
  | "lpips-vgg16"
  | "lpips-squeezenet"
  | "lpips-alexnet-head"
  | "lpips-vgg16-head"
  | "lpips-squeezenet-head"
  | "nvidia-vgg16"
  | "nvidia-inception"
  | "arcface";

/** A file as it was published. */
export interface PublishedFile {
  /** Its name. */
  readonly name: string;
  /** Its length, where it is known. */
  readonly bytes?: number;
  /** Its SHA-256 in hexadecimal, or its first digits where the rest is not known. */
  readonly sha256?: string;
}

/** Weights that may be there. */
export interface OptionalWeights {
  /** What they are, in a few words. */
  readonly title: string;
  /** What can be done with them. */
  readonly enables: string;
  /** What reads them: a flag, or the function of the library that takes their content; commands then use none of it. */
  readonly reader: `--${string}` | `load${string}`;
  /** Under what licence they are published. */
  readonly licence: string;
  /** What to do to get them, without a full stop. */
  readonly obtain: string;
  /** The file, under each of the names that it is published by. */
  readonly files: readonly PublishedFile[];
  /** Where the file is looked for within a folder, besides the folder itself. */
  readonly within?: readonly string[];
}

const NGC =
  "download it from https://catalog.ngc.nvidia.com/orgs/nvidia/teams/research/models/eg3d";
const EG3D_LICENCE = "NVIDIA Source Code License for EG3D, research only";
const ADA_LICENCE = "NVIDIA Source Code License, research only";
const DECA_LICENCE = "MPI licence of DECA, non-commercial research";
const DECA_DATA =
  "take it from the folder data of https://github.com/yfeng95/DECA";
const TORCHVISION = "BSD-3-Clause (torchvision), trained on ImageNet";
const LPIPS_REPOSITORY =
  "take it from lpips/weights/v0.1 of https://github.com/richzhang/PerceptualSimilarity";

function eg3d(
  name: string,
  of: string,
  pictures: number,
  raw: number,
): OptionalWeights {
  return {
    title: `EG3D generator of ${of}`,
    enables:
      `pictures of ${pictures} pixels a side, rendered at ${raw} and enlarged`,
    reader: "--generator",
    licence: EG3D_LICENCE,
    obtain: NGC,
    files: [{ name: `${name}.pkl` }],
    within: ["eg3d", "networks"],
  };
}

function backbone(
  network: string,
  files: readonly PublishedFile[],
): OptionalWeights {
  return {
    title: `${network} of torchvision`,
    enables: `the distance LPIPS (${network}), with its heads`,
    reader: "loadLpips",
    licence: TORCHVISION,
    obtain: `download https://download.pytorch.org/models/${files[0].name}`,
    files,
    within: ["hub/checkpoints", "lpips"],
  };
}

function heads(network: string, file: PublishedFile): OptionalWeights {
  return {
    title: `LPIPS 0.1 heads for ${network}`,
    enables: `the distance LPIPS (${network}), with its network`,
    reader: "loadLpips",
    licence: "BSD-2-Clause",
    obtain: LPIPS_REPOSITORY,
    files: [file],
    within: ["lpips", "v0.1", "lpips/v0.1", "lpips/weights/v0.1"],
  };
}

/** All optional weights. */
export const CATALOGUE: Readonly<Record<WeightsId, OptionalWeights>> = {
  "eg3d-ffhqrebalanced512-128": eg3d(
    "ffhqrebalanced512-128",
    "faces, also seen from the side",
    512,
    128,
  ),
  "eg3d-ffhqrebalanced512-64": eg3d(
    "ffhqrebalanced512-64",
    "faces, also seen from the side",
    512,
    64,
  ),
  "eg3d-ffhq512-128": eg3d("ffhq512-128", "faces", 512, 128),
  "eg3d-ffhq512-64": eg3d("ffhq512-64", "faces", 512, 64),
  "eg3d-afhqcats512-128": eg3d("afhqcats512-128", "cats", 512, 128),
  "eg3d-shapenetcars128-64": eg3d("shapenetcars128-64", "cars", 128, 64),
  deca: {
    title: "DECA",
    enables: "expressions and heads from photographs by FLAME, as published",
    reader: "--deca",
    licence: DECA_LICENCE,
    obtain:
      "follow the link to the trained model in https://github.com/yfeng95/DECA",
    files: [{
      name: "deca_model.tar",
      bytes: 434_142_943,
      sha256:
        "e714ed293054cba5eea9c96bd3b6b57880074cd84b3fd00d606cbaf0bee7c5c2",
    }],
    within: ["deca", "data"],
  },
  flame: {
    title: "FLAME 2020",
    enables: "the head that DECA's numbers describe",
    reader: "--deca",
    licence: "FLAME licence, non-commercial research, by registration",
    obtain:
      "register at https://flame.is.tue.mpg.de, download FLAME 2020 and unpack it",
    files: [{
      name: "generic_model.pkl",
      bytes: 53_023_716,
      sha256:
        "efcd14cc4a69f3a3d9af8ded80146b5b6b50df3bd74cf69108213b144eba725b",
    }],
    within: ["flame", "FLAME2020", "data", "deca"],
  },
  "flame-landmarks": {
    title: "landmarks on FLAME's surface",
    enables: "the 68 landmarks of FLAME heads",
    reader: "loadFlameLandmarks",
    licence: DECA_LICENCE,
    obtain: DECA_DATA,
    files: [{
      name: "landmark_embedding.npy",
      sha256:
        "8095348eeafce5a02f6bd8765146307f9567a3f03b316d788a2e47336d667954",
    }],
    within: ["flame", "data", "deca"],
  },
  "flame-template": {
    title: "FLAME's mesh with its texture map",
    enables: "the photo's texture on FLAME heads",
    reader: "--deca",
    licence: DECA_LICENCE,
    obtain: DECA_DATA,
    files: [{ name: "head_template.obj" }],
    within: ["flame", "data", "deca"],
  },
  "flame-mask": {
    title: "face and eyes on FLAME's texture map",
    enables: "the published soft mask of FLAME heads",
    reader: "--deca",
    licence: DECA_LICENCE,
    obtain: DECA_DATA,
    files: [{ name: "uv_face_eye_mask.png" }],
    within: ["flame", "data", "deca"],
  },
  "lpips-alexnet": backbone(
    "AlexNet",
    [
      {
        name: "alexnet-owt-7be5be79.pth",
        bytes: 244_408_911,
        sha256:
          "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
      },
      {
        name: "alexnet-owt-4df8aa71.pth",
        bytes: 244_418_560,
        sha256: "4df8aa71",
      },
    ],
  ),
  "lpips-alexnet-head": heads("AlexNet", {
    name: "alex.pth",
    bytes: 6009,
    sha256: "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
  }),
  "lpips-vgg16": backbone(
    "VGG16",
    [{
      name: "vgg16-397923af.pth",
      bytes: 553_433_881,
      sha256:
        "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
    }],
  ),
  "lpips-vgg16-head": heads("VGG16", {
    name: "vgg.pth",
    bytes: 7289,
    sha256: "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
  }),
  "lpips-squeezenet": backbone(
    "SqueezeNet",
    [
      {
        name: "squeezenet1_1-b8a52dc0.pth",
        bytes: 4_958_839,
        sha256:
          "b8a52dc049b60e4b6ab68ad0df457362afab8b6304b2febdc1650a5dab4d7e7b",
      },
      { name: "squeezenet1_1-f364aa15.pth", sha256: "f364aa15" },
    ],
  ),
  "lpips-squeezenet-head": heads("SqueezeNet", {
    name: "squeeze.pth",
    bytes: 10_811,
    sha256: "4a5350f23600cb79923ce65bb07cbf57dca461329894153e05a1346bd531cf76",
  }),
  "nvidia-vgg16": {
    title: "VGG16 with LPIPS heads, of StyleGAN2-ADA",
    enables: "stage C's loss as published",
    reader: "loadLpips",
    licence: ADA_LICENCE,
    obtain:
      "download https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/metrics/vgg16.pt",
    files: [{
      name: "vgg16.pt",
      sha256:
        "b437eb095feaeb0b83eb3fa11200ebca4548ee39a07fb944a417ddc516cc07c3",
    }],
    within: ["metrics"],
  },
  "nvidia-inception": {
    title: "Inception of December 2015, of StyleGAN2-ADA and StyleGAN3",
    enables: "the features that FID compares, as published",
    reader: "loadInception",
    licence: ADA_LICENCE,
    obtain:
      "download https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/metrics/inception-2015-12-05.pt",
    files: [
      {
        name: "inception-2015-12-05.pt",
        bytes: 95_607_719,
        sha256:
          "f58cb9b6ec323ed63459aa4fb441fe750cfe39fafad6da5cb504a16f19e958f4",
      },
      { name: "inception-2015-12-05.pkl" },
    ],
    within: ["metrics"],
  },
  arcface: {
    title: "ArcFace IR-SE50 of InsightFace_Pytorch",
    enables: "ID, the cosine of identities, as published",
    reader: "loadArcFace",
    licence: "MIT (InsightFace_Pytorch); of the training data nothing is said",
    obtain:
      "follow the link to IR-SE50 in https://github.com/TreB1eN/InsightFace_Pytorch",
    files: [
      {
        name: "model_ir_se50.pth",
        bytes: 175_367_323,
        sha256:
          "a035c768259b98ab1ce0e646312f48b9e1e218197a0f80ac6765e88f8b6ddf28",
      },
    ],
    within: ["arcface"],
  },
};
