// dx = rstd_r (u - mean_c u - h mean_c (u h)),   u = g w_c,  h = (x - mean_r) rstd_r
//
// x, g, dx: (rows, columns).  w: (columns).  stats: (rows, 2) = mean, rstd.
// Dispatch: one invocation per row, folded over x and y.
struct Params { rows: u32, columns: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read> stats: array<f32>;
@group(0) @binding(3) var<storage, read> g: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let r = id.x + id.y * groups.x * 64u;
  if (r >= params.rows) { return; }
  let first = r * params.columns;
  let mean = stats[2u * r];
  let rstd = stats[2u * r + 1u];
  var level = 0.0;
  var tilt = 0.0;
  for (var c = 0u; c < params.columns; c++) {
    let u = g[first + c] * w[c];
    level += u;
    tilt += u * (x[first + c] - mean) * rstd;
  }
  level /= f32(params.columns);
  tilt /= f32(params.columns);
  for (var c = 0u; c < params.columns; c++) {
    let h = (x[first + c] - mean) * rstd;
    dx[first + c] = rstd * (g[first + c] * w[c] - level - h * tilt);
  }
}
