// Where rays enter and leave a cube around the origin (EG3D's ray limits
// `auto`), by slabs:
//   near = max over axes of the entry, far = min over axes of the exit
//   hit when near <= far for every pair of axes; else near = -1, far = -2
//
// rays: (R, 6).  limits: (R, 2).
// extremes: (2, R), -near and near of rays that hit with far > near, otherwise
// numbers that lose every comparison: their maxima are what box_limits_fill
// takes.
// Dispatch: one invocation per ray, folded over x and y.
struct Params { n: u32, half: f32 }
@group(0) @binding(0) var<storage, read> rays: array<f32>;
@group(0) @binding(1) var<storage, read_write> limits: array<f32>;
@group(0) @binding(2) var<storage, read_write> extremes: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

const LEAST: f32 = -3e38;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let r = id.x + id.y * groups.x * 64u;
  if (r >= params.n) { return; }
  let origin = vec3f(rays[6u * r], rays[6u * r + 1u], rays[6u * r + 2u]);
  let way = vec3f(rays[6u * r + 3u], rays[6u * r + 4u], rays[6u * r + 5u]);
  // a ray along a slab never leaves it; infinities are left out for drivers that fold them
  let tiny = select(vec3f(1e-12), vec3f(-1e-12), way < vec3f(0.0));
  let inverse = 1.0 / select(way, tiny, abs(way) < vec3f(1e-12));
  let a = (vec3f(-params.half) - origin) * inverse;
  let b = (vec3f(params.half) - origin) * inverse;
  let entry = min(a, b);
  let leave = max(a, b);
  var near = max(entry.x, max(entry.y, entry.z));
  var far = min(leave.x, min(leave.y, leave.z));
  if (near > far) {
    near = -1.0;
    far = -2.0;
  }
  limits[2u * r] = near;
  limits[2u * r + 1u] = far;
  let hit = far > near;
  extremes[r] = select(LEAST, -near, hit);
  extremes[params.n + r] = select(LEAST, near, hit);
}
