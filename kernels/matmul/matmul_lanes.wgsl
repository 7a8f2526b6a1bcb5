// y[part, z, r, l] = sum over the k of the part of A[z, r, k] B[z, k, l]
//
// a, b: read through strides (batch, row or lane, k).  y: written through
// strides; (parts, batch, ...), so that either side of a product can be the
// rows.  Part p has k in [p chunk, p chunk + chunk); the sum over parts is the
// product.
// Tile: ROWS (1, 4, 8, 12 or 16) rows x 32 lanes per workgroup of 8, which is
// one subgroup.
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

fn scalar(at: u32) -> f32 { return a[at]; }

fn put(at: u32, v: f32) { y[at] = v; }

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
  var scalars = r * params.a_row + z * params.a_batch + first * params.a_k;
  var ib = j * params.b_lane + z * params.b_batch + first * params.b_k;
  // block: lanes_registers
  for (var k = first; k < last; k++) {
    let v = vec4f(b[ib.x], b[ib.y], b[ib.z], b[ib.w]);
    // block: lanes_multiply_add
    scalars += params.a_k;
    ib += params.b_k;
  }
  var to = j * params.y_lane + group.z * params.y_batch + row * params.y_row;
  // workgroups past the last block, where x and y are folded, store nothing
  let rows = select(0u, min(params.height, params.rows - row), row < params.rows);
  let pitch = params.y_row;
  // block: lanes_store
}
