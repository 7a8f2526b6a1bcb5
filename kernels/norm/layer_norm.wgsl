// h = (x - mean_r) rstd_r,  y = h w_c + b_c
//   mean_r = mean_c x[r, c],  rstd_r = 1 / sqrt(mean_c (x[r, c] - mean_r)^2 + eps)
//
// x, y: (rows, columns).  w, b: (columns).  stats: (rows, 2) = mean, rstd.
// Dispatch: one invocation per row, folded over x and y.
struct Params { rows: u32, columns: u32, eps: f32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read_write> stats: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let r = id.x + id.y * groups.x * 64u;
  if (r >= params.rows) { return; }
  let first = r * params.columns;
  var total = 0.0;
  for (var c = 0u; c < params.columns; c++) { total += x[first + c]; }
  let mean = total / f32(params.columns);
  var squares = 0.0;
  for (var c = 0u; c < params.columns; c++) {
    let d = x[first + c] - mean;
    squares += d * d;
  }
  let rstd = 1.0 / sqrt(squares / f32(params.columns) + params.eps);
  for (var c = 0u; c < params.columns; c++) {
    y[first + c] = (x[first + c] - mean) * rstd * w[c] + b[c];
  }
  stats[2u * r] = mean;
  stats[2u * r + 1u] = rstd;
}
