// y[z, o, oy + p ostep, ox + q ostep] = sum over c, a, b of
//     x[z, c, sy + p sstep + a ty, sx + q sstep + b tx] w[group(z), o, c, first + a w_y + b w_x]
//
// The walk of forward_lanes.wgsl as an implicit matrix product for a GPU:
// forward, gradient by the image and phases of a transposed convolution.
// x: (N groups, depth, sh, sw), zero outside.  y: (N groups, rows, oh, ow).
// w: read through strides.
// Tile: ROWS channels x LANES pixels of the phase per workgroup, MICRO (8 or 4)
// squared per invocation: with 8, four vec4 reads of workgroup memory feed 64
// multiply-adds.  Per step DEPTH input channels of one tap are staged, so that
// no index is divided inside the loop; the taps of these channels follow each
// other, so that their weights and pixels are met in the cache.
// Dispatch: tiles of ph pw pixels x blocks of ROWS channels, folded over x and
// y, z = N groups.
alias x_t = f32;
alias w_t = f32;
struct Params {
  blocks: u32, tiles: u32, along_tiles: u32, groups: u32, rows: u32, depth: u32,
  ph: u32, pw: u32, inverse_pw: f32,
  oh: u32, ow: u32, ostep: u32, oy: u32, ox: u32,
  sh: u32, sw: u32, sstep: i32, sy: i32, sx: i32,
  taps_y: u32, taps_x: u32, ty: i32, tx: i32,
  w_group: u32, w_row: u32, w_depth: u32, w_first: u32, w_y: u32, w_x: u32
}
@group(0) @binding(0) var<storage, read> x: array<x_t>;
@group(0) @binding(1) var<storage, read> weight: array<w_t>;
@group(0) @binding(2) var<storage, read_write> y: array<x_t>;
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

struct Pixels { y: vec4i, x: vec4i }

// p, p + 1, p + 2, p + 3 of the phase; past the end the last one
fn pixels(p: u32) -> Pixels {
  let k = min(vec4u(p, p + 1u, p + 2u, p + 3u), vec4u(params.ph * params.pw - 1u));
  let y = k / params.pw;
  return Pixels(vec4i(y), vec4i(k - y * params.pw));
}

fn weights(row: u32, at: u32, ok: bool) -> vec4f {
  let r = min(vec4u(row, row + 1u, row + 2u, row + 3u), vec4u(params.rows - 1u)) * params.w_row + at;
  return select(vec4f(0.0), vec4f(vec4<w_t>(weight[r.x], weight[r.y], weight[r.z], weight[r.w])), ok);
}

fn image(at: vec4i, ok: vec4<bool>) -> vec4f {
  let k = select(vec4u(0u), vec4u(at), ok);
  return select(vec4f(0.0), vec4f(vec4<x_t>(x[k.x], x[k.y], x[k.z], x[k.w])), ok);
}

fn inside(at: vec4i, size: u32) -> vec4<bool> {
  return (at >= vec4i(0)) & (at < vec4i(i32(size)));
}

fn store(to: vec4u, row: u32, pixel: u32, v: vec4f) {
  if (row >= params.rows) { return; }
  let count = params.ph * params.pw;
  let at = to + row * params.oh * params.ow;
  if (pixel < count) { y[at.x] = x_t(v.x); }
  if (pixel + 1u < count) { y[at.y] = x_t(v.y); }
  if (pixel + 2u < count) { y[at.z] = x_t(v.z); }
  if (pixel + 3u < count) { y[at.w] = x_t(v.w); }
}

fn place(base: u32, column: u32) -> vec4u {
  let p = pixels(column);
  let y = vec4u(p.y) * params.ostep + params.oy;
  return base + y * params.ow + vec4u(p.x) * params.ostep + params.ox;
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
  let tx = t % (LANES / MICRO);
  let ty = t / (LANES / MICRO);
  // GROUP is a multiple of DEPTH and of LANES / 4: an invocation always brings
  // the same pixels, and the same of the staged channels
  let channel = t % DEPTH;
  let quad = t % (LANES / 4u);
  let source = pixels(tile + quad * 4u);
  let sy = source.y * params.sstep + params.sy;
  let sx = source.x * params.sstep + params.sx;
  let plane = params.sh * params.sw;
  let start = group.z * params.depth * plane;
  let weight_start = (group.z % params.groups) * params.w_group + params.w_first;
  // block: tiles_registers
  for (var c = 0u; c < params.depth; c += DEPTH) {
    for (var a = 0u; a < params.taps_y; a++) {
      let y_at = sy + i32(a) * params.ty;
      let ok_y = inside(y_at, params.sh);
      for (var b = 0u; b < params.taps_x; b++) {
        let x_at = sx + i32(b) * params.tx;
        let ok = ok_y & inside(x_at, params.sw);
        let at = vec4i(i32(start)) + y_at * i32(params.sw) + x_at;
        let tap = weight_start + a * params.w_y + b * params.w_x;
        // weights: neighbouring invocations take neighbouring input channels
        let d = c + channel;
        let from_w = tap + min(d, params.depth - 1u) * params.w_depth;
        for (var i = 0u; i < DEPTH * ROWS / 4u / GROUP; i++) {
          let r = t / DEPTH + i * (GROUP / DEPTH);
          left[channel * LEFT_PITCH + r] = weights(block + 4u * r, from_w, d < params.depth);
        }
        // pixels: neighbouring invocations take neighbouring pixels
        for (var i = 0u; i < DEPTH * LANES / 4u / GROUP; i++) {
          let e = t / (LANES / 4u) + i * (GROUP / (LANES / 4u));
          let inner = vec4<bool>(c + e < params.depth);
          right[e * RIGHT_PITCH + quad] = image(at + i32((c + e) * plane), ok & inner);
        }
        workgroupBarrier();
        // block: tiles_multiply_add
        workgroupBarrier();
      }
    }
  }
  let base = group.z * params.rows * params.oh * params.ow;
  let column = tile + tx * 4u;
  let row = block + ty * MICRO;
  // block: tiles_store
}
