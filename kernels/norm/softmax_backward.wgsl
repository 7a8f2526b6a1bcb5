// dx[r, c] = y[r, c] (g[r, c] - sum_c y[r, c] g[r, c])
//
// y, g, dx: (rows, columns).
// Dispatch: one invocation per row, folded over x and y.
struct Params { rows: u32, columns: u32 }
@group(0) @binding(0) var<storage, read> y: array<f32>;
@group(0) @binding(1) var<storage, read> g: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let r = id.x + id.y * groups.x * 64u;
  if (r >= params.rows) { return; }
  let first = r * params.columns;
  let end = first + params.columns;
  var dot = 0.0;
  for (var k = first; k < end; k++) { dot += y[k] * g[k]; }
  for (var k = first; k < end; k++) { dx[k] = y[k] * (g[k] - dot); }
}
