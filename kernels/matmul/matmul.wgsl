// y[b, m, n] = sum over k of A[b, m, k] B[b, k, n]
//
// a, b: read through strides (batch, row, column of the matrix that is
// multiplied), so that a transposed side or one shared by the whole batch is
// no copy.  y: (batch, m, n), contiguous.
// Tile: 4 rows x 4 columns per invocation; the 8 lanes of a workgroup are 8
// neighbouring column tiles and share their rows of A.
// Dispatch: ceil(n / 32) x ceil(m / 4) x batch, folded over x and y.
struct Params {
  batch: u32, m: u32, n: u32, k: u32,
  ab: u32, am: u32, ak: u32, bb: u32, bk: u32, bn: u32
}
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_id) lane: vec3u
) {
  let rows = (params.m + 3u) / 4u;
  let columns = (params.n + 31u) / 32u;
  let tile = group.x + group.y * grid.x;
  let block = tile / columns;
  let batch = block / rows;
  if (batch >= params.batch) { return; }
  let m = (block % rows) * 4u;
  let n = (tile % columns) * 32u + lane.x;
  // rows and columns past the end repeat the last one and are not stored
  let row = min(vec4u(m, m + 1u, m + 2u, m + 3u), vec4u(params.m - 1u));
  let column = min(vec4u(n, n + 8u, n + 16u, n + 24u), vec4u(params.n - 1u));
  var ia = row * params.am + batch * params.ab;
  var ib = column * params.bn + batch * params.bb;
  var y0 = vec4f(0.0);
  var y1 = vec4f(0.0);
  var y2 = vec4f(0.0);
  var y3 = vec4f(0.0);
  for (var k = 0u; k < params.k; k++) {
    let v = vec4f(b[ib.x], b[ib.y], b[ib.z], b[ib.w]);
    y0 += a[ia.x] * v;
    y1 += a[ia.y] * v;
    y2 += a[ia.z] * v;
    y3 += a[ia.w] * v;
    ia += params.ak;
    ib += params.bk;
  }
  let acc = array<vec4f, 4>(y0, y1, y2, y3);
  for (var i = 0u; i < 4u; i++) {
    if (m + i >= params.m) { return; }
    let at = (batch * params.m + m + i) * params.n + n;
    for (var j = 0u; j < 4u; j++) {
      if (n + j * 8u < params.n) { y[at + j * 8u] = acc[i][j]; }
    }
  }
}
