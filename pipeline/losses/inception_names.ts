/**
 * The names under which Inception-v3's parameters are published.
 *
 * @module
 */
import type { StateDict } from "../networks/network_state.ts";

/** Layers before the blocks, in pytorch-fid and here. */
const STEM: Readonly<Record<string, string>> = {
  Conv2d_1a_3x3: "conv",
  Conv2d_2a_3x3: "conv_1",
  Conv2d_2b_3x3: "conv_2",
  Conv2d_3b_1x1: "conv_3",
  Conv2d_4a_3x3: "conv_4",
};

/** Blocks in order, in pytorch-fid. */
const BLOCKS = "5b 5c 5d 6a 6b 6c 6d 6e 7a 7b 7c".split(" ")
  .map((name) => `Mixed_${name}`);

/** The n-th convolution of a tower. */
const nth = (n: string) => n === "1" ? "conv" : `conv_${Number(n) - 1}`;

/** Branches of a block, in pytorch-fid, by what is before their number and letter. */
const BRANCHES: readonly (readonly [RegExp, (...parts: string[]) => string])[] =
  [
    [/^branch1x1$/, () => "conv"],
    [/^branch3x3$/, () => "conv"],
    [/^branch_pool$/, () => "tower_2.conv"],
    [/^branch(?:5x5|7x7)_(\d)$/, (n) => `tower.${nth(n)}`],
    [/^branch(?:7x7dbl|7x7x3)_(\d)$/, (n) => `tower_1.${nth(n)}`],
  ];

/** Branches of the last two blocks, whose towers fork. */
const FORKED: Readonly<Record<string, string>> = {
  branch3x3_1: "tower_conv",
  branch3x3_2a: "tower_mixed_conv",
  branch3x3_2b: "tower_mixed_conv_1",
  branch3x3dbl_1: "tower_1_conv",
  branch3x3dbl_2: "tower_1_conv_1",
  branch3x3dbl_3a: "tower_1_mixed_conv",
  branch3x3dbl_3b: "tower_1_mixed_conv_1",
  branch_pool: "tower_2_conv",
};

function branchName(block: number, branch: string): string | null {
  if (block >= 9 && FORKED[branch]) return FORKED[branch];
  // two 3x3 stand in the second tower beside a 5x5, otherwise in the first
  const small = /^branch3x3(?:dbl)?_(\d)$/.exec(branch);
  if (small) return `${block < 3 ? "tower_1" : "tower"}.${nth(small[1])}`;
  for (const [form, name] of BRANCHES) {
    const found = form.exec(branch);
    if (found) return name(...found.slice(1));
  }
  return null;
}

/** A layer of pytorch-fid by the name that it has here, null when it is none. */
function layerName(layer: string): string | null {
  if (STEM[layer]) return `layers.${STEM[layer]}`;
  const [mixed, branch] = layer.split("."), block = BLOCKS.indexOf(mixed);
  const name = block < 0 || !branch ? null : branchName(block, branch);
  return name && `layers.mixed${block > 0 ? `_${block}` : ""}.${name}`;
}

const NORM: Readonly<Record<string, string>> = {
  beta: "norm.bias",
  mean: "norm.running_mean",
  var: "norm.running_var",
};

/** A name of any published form as LAYER.weight or LAYER.norm.*. */
function publishedName(name: string): string {
  const own = /^(layers\..+)\.(beta|mean|var)$/.exec(name);
  if (own) return `${own[1]}.${NORM[own[2]]}`;
  const theirs = /^(.+)\.(conv|bn)\.(\w+)$/.exec(name);
  const layer = theirs && layerName(theirs[1]);
  if (!layer) return name;
  return `${layer}.${theirs[2] === "bn" ? "norm." : ""}${theirs[3]}`;
}

/**
 * Parameters under NVIDIA's names, with normalisations called `norm`. These
 * multiply by 1, which one of the published forms leaves out.
 */
export function inceptionNames(state: StateDict): StateDict {
  const named = new Map(
    [...state].map(([name, parameter]) => [publishedName(name), parameter]),
  );
  for (const [name, { shape }] of [...named]) {
    if (!name.endsWith(".norm.bias")) continue;
    const weight = name.replace(/bias$/, "weight");
    if (named.has(weight)) continue;
    named.set(weight, { shape, data: new Float32Array(shape[0]).fill(1) });
  }
  return named;
}
