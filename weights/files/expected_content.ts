/**
 * @file What shows that a file of the catalogue is what its name says: a few state names with their shapes, for each
 * published network those that its relatives do not have.
 */
import type { WeightsId } from "./catalogue.ts";

/** What a tensor has to be: of a shape, of so many numbers, or only there. */
export type ExpectedTensor = readonly number[] | number | null;

/** What shows that a file is what its name says. */
export type ExpectedContent =
  /** Tensors by state name; a name that ends in a dot stands for all below it. */
  | {
    readonly kind: "tensors";
    readonly tensors: Readonly<Record<string, ExpectedTensor>>;
  }
  /** A generator of EG3D that makes pictures of so many pixels a side. */
  | { readonly kind: "eg3d"; readonly pictures: number }
  /** A mesh as Wavefront OBJ, by its numbers of lines. */
  | {
    readonly kind: "obj";
    readonly v: number;
    readonly vt: number;
    readonly f: number;
  }
  /** A PNG of so many pixels a side. */
  | { readonly kind: "png"; readonly side: number };

function generator(pictures: number): ExpectedContent {
  return { kind: "eg3d", pictures };
}

function tensors(expected: Record<string, ExpectedTensor>): ExpectedContent {
  return { kind: "tensors", tensors: expected };
}

/** Heads of LPIPS, one for each map, by its channels. */
function heads(...channels: number[]): ExpectedContent {
  return tensors(Object.fromEntries(
    channels.map((c, k) => [`lin${k}.model.1.weight`, [1, c, 1, 1]]),
  ));
}

/** How each of the optional weights is recognised. */
export const EXPECTED_CONTENT: Readonly<Record<WeightsId, ExpectedContent>> = {
  "eg3d-ffhqrebalanced512-128": generator(512),
  "eg3d-ffhqrebalanced512-64": generator(512),
  "eg3d-ffhq512-128": generator(512),
  "eg3d-ffhq512-64": generator(512),
  "eg3d-afhqcats512-128": generator(512),
  "eg3d-shapenetcars128-64": generator(128),
  deca: tensors({
    "E_flame.encoder.conv1.weight": [64, 3, 7, 7],
    "E_flame.layers.0.weight": [1024, 2048],
    "E_flame.layers.2.weight": [236, 1024],
    "E_detail.layers.2.weight": [128, 1024],
    "D_detail.": null,
  }),
  flame: tensors({
    v_template: [5023, 3],
    shapedirs: [5023, 3, 400],
    posedirs: [5023, 3, 36],
    J_regressor: [5, 5023],
    weights: [5023, 5],
    f: [9976, 3],
    kintree_table: [2, 5],
  }),
  "flame-landmarks": tensors({
    static_lmk_faces_idx: 51,
    static_lmk_bary_coords: 51 * 3,
    dynamic_lmk_faces_idx: 79 * 17,
    dynamic_lmk_bary_coords: 79 * 17 * 3,
    full_lmk_faces_idx: 68,
    full_lmk_bary_coords: 68 * 3,
  }),
  "flame-template": { kind: "obj", v: 5023, vt: 5118, f: 9976 },
  "flame-mask": { kind: "png", side: 256 },
  "lpips-alexnet": tensors({
    "features.0.weight": [64, 3, 11, 11],
    "features.3.weight": [192, 64, 5, 5],
    "features.6.weight": [384, 192, 3, 3],
    "features.8.weight": [256, 384, 3, 3],
    "features.10.weight": [256, 256, 3, 3],
  }),
  "lpips-alexnet-head": heads(64, 192, 384, 256, 256),
  // VGG19 has no features.17
  "lpips-vgg16": tensors({
    "features.0.weight": [64, 3, 3, 3],
    "features.14.weight": [256, 256, 3, 3],
    "features.17.weight": [512, 256, 3, 3],
    "features.28.weight": [512, 512, 3, 3],
  }),
  "lpips-vgg16-head": heads(64, 128, 256, 512, 512),
  // SqueezeNet 1.0 begins with 96 channels
  "lpips-squeezenet": tensors({
    "features.0.weight": [64, 3, 3, 3],
    "features.3.squeeze.weight": [16, 64, 1, 1],
    "features.12.expand3x3.weight": [256, 64, 3, 3],
  }),
  "lpips-squeezenet-head": heads(64, 128, 256, 384, 384, 512, 512),
  "nvidia-vgg16": tensors({
    "layers.conv1.weight": [64, 3, 3, 3],
    "layers.conv13.weight": [512, 512, 3, 3],
    lpips0: 64,
    lpips4: 512,
  }),
  "nvidia-inception": tensors({
    "layers.conv.weight": [32, 3, 3, 3],
    "layers.mixed.conv.weight": [64, 192, 1, 1],
    "layers.mixed_10.conv.weight": [320, 2048, 1, 1],
  }),
  // IR50 has no fc1, fc2
  arcface: tensors({
    "input_layer.0.weight": [64, 3, 3, 3],
    "body.0.res_layer.5.fc1.weight": [4, 64, 1, 1],
    "body.23.res_layer.5.fc2.weight": [512, 32, 1, 1],
    "output_layer.3.weight": [512, 25_088],
  }),
};
