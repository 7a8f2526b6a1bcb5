// Rays through pixel centres (EG3D's ray sampler, OpenCV axes):
//   u = (j + 0.5) / R, v = (i + 0.5) / R
//   d_camera = ((u - cx + cy s / fy - s v / fy) / fx, (v - cy) / fy, 1)
//   d = normalise(cam2world * d_camera - origin)
//
// labels: (batch, 25), cam2world 4x4 then intrinsics 3x3, row-major.
// rays: (batch, R R, 6), origin and unit direction.
// Dispatch: one invocation per ray, folded over x and y.
struct Params { n: u32, resolution: u32 }
@group(0) @binding(0) var<storage, read> labels: array<f32>;
@group(0) @binding(1) var<storage, read_write> rays: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let k = id.x + id.y * groups.x * 64u;
  if (k >= params.n) { return; }
  let r = params.resolution;
  let l = (k / (r * r)) * 25u;
  let u = (f32(k % r) + 0.5) / f32(r);
  let v = (f32((k / r) % r) + 0.5) / f32(r);
  let fx = labels[l + 16u];
  let skew = labels[l + 17u];
  let cx = labels[l + 18u];
  let fy = labels[l + 20u];
  let cy = labels[l + 21u];
  let x = (u - cx + cy * skew / fy - skew * v / fy) / fx;
  let y = (v - cy) / fy;
  let d = normalize(vec3f(
    labels[l] * x + labels[l + 1u] * y + labels[l + 2u],
    labels[l + 4u] * x + labels[l + 5u] * y + labels[l + 6u],
    labels[l + 8u] * x + labels[l + 9u] * y + labels[l + 10u]));
  rays[6u * k] = labels[l + 3u];
  rays[6u * k + 1u] = labels[l + 7u];
  rays[6u * k + 2u] = labels[l + 11u];
  rays[6u * k + 3u] = d.x;
  rays[6u * k + 4u] = d.y;
  rays[6u * k + 5u] = d.z;
}
