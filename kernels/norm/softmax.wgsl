// y[r, c] = exp(x[r, c] - m_r) / sum_c exp(x[r, c] - m_r),   m_r = max_c x[r, c]
//
// x, y: (rows, columns).
// Dispatch: one invocation per row, folded over x and y.
struct Params { rows: u32, columns: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let r = id.x + id.y * groups.x * 64u;
  if (r >= params.rows) { return; }
  let first = r * params.columns;
  let end = first + params.columns;
  var largest = x[first];
  for (var k = first; k < end; k++) { largest = max(largest, x[k]); }
  var total = 0.0;
  for (var k = first; k < end; k++) {
    let e = exp(x[k] - largest);
    y[k] = e;
    total += e;
  }
  let factor = 1.0 / total;
  for (var k = first; k < end; k++) { y[k] *= factor; }
}
