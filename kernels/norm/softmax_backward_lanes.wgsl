// dx[r, c] = y[r, c] (g[r, c] - sum_c y[r, c] g[r, c])
//
// As softmax_backward.wgsl by subgroups of 8 lanes, for columns in vec4.
// y, g, dx: (rows, columns / 4) vec4.
// Dispatch: one workgroup per row, folded over x and y.
struct Params { rows: u32, columns: u32 }
@group(0) @binding(0) var<storage, read> y: array<vec4f>;
@group(0) @binding(1) var<storage, read> g: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dx: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_id) lane: vec3u
) {
  let r = group.x + group.y * grid.x;
  if (r >= params.rows) { return; }
  let end = (r + 1u) * params.columns;
  let first = r * params.columns + lane.x;
  var products = vec4f(0.0);
  for (var k = first; k < end; k += 8u) { products += y[k] * g[k]; }
  let dot = subgroupAdd((products.x + products.y) + (products.z + products.w));
  for (var k = first; k < end; k += 8u) { dx[k] = y[k] * (g[k] - dot); }
}
