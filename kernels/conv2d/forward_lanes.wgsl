// y[z, o, oy + p ostep, ox + q ostep] = sum over c, a, b of
//     x[z, c, sy + p sstep + a ty, sx + q sstep + b tx] w[group(z), o, c, first + a w_y + b w_x]
//
// One walk over taps that is, with the right steps, a convolution of any
// stride and dilation, its gradient by the image, and one phase of a strided
// transposed convolution (which then never meets the zeros between pixels);
// conv2d.ts has the steps.
// x: (N groups, depth, sh, sw), zero outside.  y: (N groups, rows, oh, ow).
// w: read through strides.
// Tile: ROWS (1, 4, 8, 12 or 16) channels x 32 pixels of the phase per
// workgroup of 8 lanes, which is one subgroup.
// Dispatch: tiles of ph pw pixels x blocks of ROWS channels, folded over x and
// y, z = N groups.
alias x_t = f32;
alias w_t = f32;
override ROWS: u32 = 16u;

struct Params {
  height: u32, blocks: u32, tiles: u32, along_tiles: u32,
  groups: u32, rows: u32, depth: u32,
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

fn inside(at: vec4i, size: u32) -> vec4<bool> {
  return (at >= vec4i(0)) & (at < vec4i(i32(size)));
}

fn scalar(at: u32) -> f32 { return f32(weight[at]); }

fn put(at: u32, v: f32) { y[at] = x_t(v); }

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
  let pixel = tile * 32u + lane.x;
  // pixels past the end repeat the last one
  let p = min(vec4u(pixel, pixel + 8u, pixel + 16u, pixel + 24u), vec4u(params.ph * params.pw - 1u));
  // p / pw by reciprocal: a CPU has no vector division of integers
  var py = vec4u(vec4f(p) * params.inverse_pw);
  py = select(py, py - 1u, py * params.pw > p);
  py = select(py, py + 1u, p - py * params.pw >= vec4u(params.pw));
  let px = p - py * params.pw;
  let sy = vec4i(py) * params.sstep + params.sy;
  let sx = vec4i(px) * params.sstep + params.sx;
  let image = i32(group.z * params.depth * params.sh * params.sw);
  let channel = min(vec2u(row + lane.x, row + lane.x + 8u), vec2u(params.rows - 1u));
  let weights = channel * params.w_row + (group.z % params.groups) * params.w_group + params.w_first;
  // block: lanes_registers
  for (var a = 0u; a < params.taps_y; a++) {
    let ty = sy + i32(a) * params.ty;
    let ok_y = inside(ty, params.sh);
    for (var b = 0u; b < params.taps_x; b++) {
      let tx = sx + i32(b) * params.tx;
      let ok = ok_y & inside(tx, params.sw);
      var at = select(vec4u(0u), vec4u(image + ty * i32(params.sw) + tx), ok);
      var scalars = weights + a * params.w_y + b * params.w_x;
      for (var c = 0u; c < params.depth; c++) {
        let v = select(vec4f(0.0), vec4f(vec4<x_t>(x[at.x], x[at.y], x[at.z], x[at.w])), ok);
        // block: lanes_multiply_add
        at += params.sh * params.sw;
        scalars += params.w_depth;
      }
    }
  }
  let pitch = params.oh * params.ow;
  var to = (group.z * params.rows + row) * pitch + (py * params.ostep + params.oy) * params.ow + px * params.ostep + params.ox;
  // workgroups past the last block, where x and y are folded, store nothing
  let rows = select(0u, min(params.height, params.rows - row), row < params.rows);
  // block: lanes_store
}
