// y[part, z, r, l] = sum over the k of the part of A[z, r, k] B[z, k, l]
//
// a, b: read through strides (batch, row or lane, k).  y: written through
// strides; (parts, batch, ...), so that either side of a product can be the
// rows.  Part p has k in [p chunk, p chunk + chunk); the sum over parts is the
// product.
// Tile: ROWS (1, 4, 8, 12 or 16) rows x 32 lanes per workgroup of 8, which is
// one subgroup.  A gather costs a CPU as much as six multiply-adds, so one
// gather fetches 8 rows of A, one per lane, and subgroup broadcasts hand them
// to all lanes.
// Dispatch: tiles of lanes x blocks of ROWS rows, folded over x and y, z = batch
// parts.
override ROWS: u32 = 16u;

struct Params {
  height: u32, blocks: u32, tiles: u32, along_tiles: u32,
  batch: u32, rows: u32, lanes: u32, depth: u32, chunk: u32,
  a_batch: u32, a_row: u32, a_k: u32,
  b_batch: u32, b_lane: u32, b_k: u32,
  y_batch: u32, y_row: u32, y_lane: u32
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
  // which workgroups are neighbours decides what stays in the cache
  let index = group.x + group.y * grid.x;
  let along = params.along_tiles == 1u;
  let tile = select(index / params.blocks, index % params.tiles, along);
  let row = select(index % params.blocks, index / params.tiles, along) * ROWS;
  let z = group.z % params.batch;
  let first = (group.z / params.batch) * params.chunk;
  let last = min(first + params.chunk, params.depth);
  let l = tile * 32u + lane.x;
  // rows and lanes past the end repeat the last one
  let r = min(vec2u(row + lane.x, row + lane.x + 8u), vec2u(params.rows - 1u));
  let j = min(vec4u(l, l + 8u, l + 16u, l + 24u), vec4u(params.lanes - 1u));
  var ia = r * params.a_row + z * params.a_batch + first * params.a_k;
  var ib = j * params.b_lane + z * params.b_batch + first * params.b_k;
  var c0 = vec4f(0.0);
  var c1 = vec4f(0.0);
  var c2 = vec4f(0.0);
  var c3 = vec4f(0.0);
  var c4 = vec4f(0.0);
  var c5 = vec4f(0.0);
  var c6 = vec4f(0.0);
  var c7 = vec4f(0.0);
  var c8 = vec4f(0.0);
  var c9 = vec4f(0.0);
  var c10 = vec4f(0.0);
  var c11 = vec4f(0.0);
  var c12 = vec4f(0.0);
  var c13 = vec4f(0.0);
  var c14 = vec4f(0.0);
  var c15 = vec4f(0.0);
  for (var k = first; k < last; k++) {
    let v = vec4f(b[ib.x], b[ib.y], b[ib.z], b[ib.w]);
    let s = a[ia.x];
    c0 += subgroupBroadcast(s, 0u) * v;
    if (ROWS > 1u) {
      c1 += subgroupBroadcast(s, 1u) * v;
      c2 += subgroupBroadcast(s, 2u) * v;
      c3 += subgroupBroadcast(s, 3u) * v;
    }
    if (ROWS > 4u) {
      c4 += subgroupBroadcast(s, 4u) * v;
      c5 += subgroupBroadcast(s, 5u) * v;
      c6 += subgroupBroadcast(s, 6u) * v;
      c7 += subgroupBroadcast(s, 7u) * v;
    }
    if (ROWS > 8u) {
      let t = a[ia.y];
      c8 += subgroupBroadcast(t, 0u) * v;
      c9 += subgroupBroadcast(t, 1u) * v;
      c10 += subgroupBroadcast(t, 2u) * v;
      c11 += subgroupBroadcast(t, 3u) * v;
      if (ROWS > 12u) {
        c12 += subgroupBroadcast(t, 4u) * v;
        c13 += subgroupBroadcast(t, 5u) * v;
        c14 += subgroupBroadcast(t, 6u) * v;
        c15 += subgroupBroadcast(t, 7u) * v;
      }
    }
    ia += params.a_k;
    ib += params.b_k;
  }
  var to = j * params.y_lane + group.z * params.y_batch + row * params.y_row;
  var all = array<vec4f, 16>(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15);
  // 64 stores written out would take half a second to compile: the bound is a
  // parameter so that the driver cannot unroll the loop
  // workgroups past the last block, where x and y are folded, store nothing
  let rows = select(0u, min(params.height, params.rows - row), row < params.rows);
  for (var i = 0u; i < rows; i++) {
    let v = all[i];
    y[to.x] = v.x;
    y[to.y] = v.y;
    y[to.z] = v.z;
    y[to.w] = v.w;
    to += vec4u(params.y_row);
  }
}
