// Limits of rays that miss the cube, as published: from the nearest entry of
// those that hit to their farthest entry (sic: not exit). Where none hits, all
// stay as they are.
//
// limits: (R, 2), in place.  extremes: (2), maxima of -near and of near.
// Dispatch: one invocation per ray, folded over x and y.
struct Params { n: u32 }
@group(0) @binding(0) var<storage, read> extremes: array<f32>;
@group(0) @binding(1) var<storage, read_write> limits: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let r = id.x + id.y * groups.x * 64u;
  if (r >= params.n) { return; }
  let missed = limits[2u * r + 1u] <= limits[2u * r];
  if (missed && extremes[1] > -1e38) {
    limits[2u * r] = -extremes[0];
    limits[2u * r + 1u] = extremes[1];
  }
}
