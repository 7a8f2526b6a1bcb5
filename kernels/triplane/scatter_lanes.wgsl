// The adjoint of `sample` for the planes, for CPUs:
//   dplanes[part, k, texel, c] += weight_k(n, texel) * g[n, c]     n in the part
//
// A lane owns a channel of a plane and walks over the points in order, so that
// nothing is added twice at a time: no atomics and always the same sum.  The
// corners of 8 points are worked out side by side and handed round by
// broadcasts.
//
// dplanes: (PARTS, batch, 3, H, W, C).  points: (batch, N, 3).
// g: (batch, N, C) for MEAN 1, (batch, 3, N, C) for MEAN 0.
// corners.wgsl is put behind.
// Dispatch: x = channels / 8, y = batch 3, z = parts of `share` points (a
// multiple of 8); workgroups of 8, which is one subgroup.
override AXES: u32 = 0x284u;
override MEAN: u32 = 1u;

struct Params { points: u32, share: u32, channels: u32, width: u32, height: u32, scale: f32 }
@group(0) @binding(0) var<storage, read> g: array<f32>;
@group(0) @binding(1) var<storage, read> points: array<f32>;
@group(0) @binding(2) var<storage, read_write> dplanes: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

// adds a gradient to the four texels of one point; lanes past the last channel do not
fn add(base: u32, c: u32, texel: vec4u, weight: vec4f, v: f32) {
  if (c >= params.channels) { return; }
  let at = vec4u(base + c) + texel * params.channels;
  dplanes[at.x] += weight.x * v;
  dplanes[at.y] += weight.y * v;
  dplanes[at.z] += weight.z * v;
  dplanes[at.w] += weight.w * v;
}

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32
) {
  let c = group.x * 8u + lane;
  let plane = group.y % 3u;
  let batch = group.y / 3u;
  let base = (group.z * grid.y + group.y) * params.width * params.height * params.channels;
  let factor = select(1.0, 1.0 / 3.0, MEAN == 1u);
  let rows = select(group.y, batch, MEAN == 1u) * params.points;
  for (var t = 0u; t < params.width * params.height; t++) {
    if (c < params.channels) { dplanes[base + t * params.channels + c] = 0.0; }
  }
  let last = min((group.z + 1u) * params.share, params.points);
  for (var first = group.z * params.share; first < last; first += 8u) {
    // points past the end repeat the last one with weight 0
    let n = min(first + lane, last - 1u);
    let i = 3u * (batch * params.points + n);
    let at = corners(projected(vec3f(points[i], points[i + 1u], points[i + 2u]), plane));
    let t = at.texel;
    let w = at.weight * select(0.0, factor, first + lane < last);
    let row = (vec4u(rows + first) + vec4u(0u, 1u, 2u, 3u)) * params.channels + c;
    let next = row + 4u * params.channels;
    add(base, c, subgroupBroadcast(t, 0u), subgroupBroadcast(w, 0u), g[row.x]);
    add(base, c, subgroupBroadcast(t, 1u), subgroupBroadcast(w, 1u), g[row.y]);
    add(base, c, subgroupBroadcast(t, 2u), subgroupBroadcast(w, 2u), g[row.z]);
    add(base, c, subgroupBroadcast(t, 3u), subgroupBroadcast(w, 3u), g[row.w]);
    add(base, c, subgroupBroadcast(t, 4u), subgroupBroadcast(w, 4u), g[next.x]);
    add(base, c, subgroupBroadcast(t, 5u), subgroupBroadcast(w, 5u), g[next.y]);
    add(base, c, subgroupBroadcast(t, 6u), subgroupBroadcast(w, 6u), g[next.z]);
    add(base, c, subgroupBroadcast(t, 7u), subgroupBroadcast(w, 7u), g[next.w]);
  }
}
