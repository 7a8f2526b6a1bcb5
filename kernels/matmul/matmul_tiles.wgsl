// y[part, z, r, l] = sum over the k of the part of A[z, r, k] B[z, k, l]
//
// a, b: read through strides (batch, row or lane, k).  y: (parts, batch, rows,
// lanes) through strides.  Part p has k in [p chunk, p chunk + chunk); the sum
// over parts is the product.
// A_ALONG_K, B_ALONG_K 1: neighbouring invocations read neighbouring k, for a
// side whose k is contiguous; 0: neighbouring rows or lanes.
// Tile: ROWS x LANES per workgroup, MICRO (8 or 4) squared per invocation: with
// 8, four vec4 reads of workgroup memory feed 64 multiply-adds.  Per step DEPTH
// k are staged.
// Dispatch: tiles of LANES lanes x blocks of ROWS rows, folded over x and y,
// z = batch parts.
override A_ALONG_K: u32 = 1u;
override B_ALONG_K: u32 = 0u;

struct Params {
  blocks: u32, tiles: u32, along_tiles: u32, batch: u32, rows: u32, lanes: u32, depth: u32, chunk: u32,
  a_batch: u32, a_row: u32, a_k: u32,
  b_batch: u32, b_lane: u32, b_k: u32,
  y_batch: u32, y_row: u32, y_lane: u32
}
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

const ROWS: u32 = 64u;
const LANES: u32 = 64u;
const DEPTH: u32 = 16u;
const MICRO: u32 = 8u;
const GROUP: u32 = (ROWS / MICRO) * (LANES / MICRO);
// one vec4 more than a row has, against bank conflicts
const LEFT_PITCH: u32 = ROWS / 4u + 1u;
const RIGHT_PITCH: u32 = LANES / 4u + 1u;
var<workgroup> left: array<vec4f, DEPTH * LEFT_PITCH>;
var<workgroup> right: array<vec4f, DEPTH * RIGHT_PITCH>;

fn four(first: u32, size: u32) -> vec4u {
  return min(vec4u(first, first + 1u, first + 2u, first + 3u), vec4u(size - 1u));
}

fn rows_of(at: u32, ok: bool, row: u32) -> vec4f {
  let i = four(row, params.rows) * params.a_row + at;
  return select(vec4f(0.0), vec4f(a[i.x], a[i.y], a[i.z], a[i.w]), ok);
}

fn lanes_of(at: u32, ok: bool, lane: u32) -> vec4f {
  let i = four(lane, params.lanes) * params.b_lane + at;
  return select(vec4f(0.0), vec4f(b[i.x], b[i.y], b[i.z], b[i.w]), ok);
}

fn place(base: u32, column: u32) -> u32 {
  return base + column * params.y_lane;
}

fn store(to: u32, row: u32, column: u32, v: vec4f) {
  if (row >= params.rows) { return; }
  let at = to + row * params.y_row;
  if (column < params.lanes) { y[at] = v.x; }
  if (column + 1u < params.lanes) { y[at + params.y_lane] = v.y; }
  if (column + 2u < params.lanes) { y[at + 2u * params.y_lane] = v.z; }
  if (column + 3u < params.lanes) { y[at + 3u * params.y_lane] = v.w; }
}

@compute @workgroup_size(GROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) t: u32
) {
  // which workgroups are neighbours decides what stays in the cache
  let index = group.x + group.y * grid.x;
  let along = params.along_tiles == 1u;
  let tile = select(index / params.blocks, index % params.tiles, along) * LANES;
  let block = select(index % params.blocks, index / params.tiles, along) * ROWS;
  let z = group.z % params.batch;
  let first = (group.z / params.batch) * params.chunk;
  let last = min(first + params.chunk, params.depth);
  let tx = t % (LANES / MICRO);
  let ty = t / (LANES / MICRO);
  // block: tiles_registers
  for (var k0 = first; k0 < last; k0 += DEPTH) {
    for (var i = 0u; i < DEPTH * ROWS / 4u / GROUP; i++) {
      let e = t + i * GROUP;
      let along_k = A_ALONG_K == 1u;
      let k = k0 + select(e / (ROWS / 4u), e % DEPTH, along_k);
      let r = select(e % (ROWS / 4u), e / DEPTH, along_k);
      let at = z * params.a_batch + min(k, last - 1u) * params.a_k;
      left[(k - k0) * LEFT_PITCH + r] = rows_of(at, k < last, block + 4u * r);
    }
    for (var i = 0u; i < DEPTH * LANES / 4u / GROUP; i++) {
      let e = t + i * GROUP;
      let along_k = B_ALONG_K == 1u;
      let k = k0 + select(e / (LANES / 4u), e % DEPTH, along_k);
      let l = select(e % (LANES / 4u), e / DEPTH, along_k);
      let at = z * params.b_batch + min(k, last - 1u) * params.b_k;
      right[(k - k0) * RIGHT_PITCH + l] = lanes_of(at, k < last, tile + 4u * l);
    }
    workgroupBarrier();
    // block: tiles_multiply_add
    workgroupBarrier();
  }
  let base = group.z * params.y_batch;
  let column = tile + tx * 4u;
  let row = block + ty * MICRO;
  // block: tiles_store
}
