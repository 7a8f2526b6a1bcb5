// dw[p, c] = sum over rows r = p, p + parts, ... of g[r, c] (x[r, c] - mean_r) rstd_r
// db[p, c] = the same of g[r, c]
//
// x, g: (rows, columns).  stats: (rows, 2) = mean, rstd.  dw, db: (parts, columns).
// Dispatch: one invocation per number of dw, folded over x and y.
struct Params { n: u32, rows: u32, columns: u32, parts: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> stats: array<f32>;
@group(0) @binding(2) var<storage, read> g: array<f32>;
@group(0) @binding(3) var<storage, read_write> dw: array<f32>;
@group(0) @binding(4) var<storage, read_write> db: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let t = id.x + id.y * groups.x * 64u;
  if (t >= params.n) { return; }
  let c = t % params.columns;
  var w = 0.0;
  var b = 0.0;
  for (var r = t / params.columns; r < params.rows; r += params.parts) {
    let k = r * params.columns + c;
    w += g[k] * (x[k] - stats[2u * r]) * stats[2u * r + 1u];
    b += g[k];
  }
  dw[t] = w;
  db[t] = b;
}
