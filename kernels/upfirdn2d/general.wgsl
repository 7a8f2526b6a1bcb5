// y[p, oy, ox] = sum_{a, b} f[a, b] u[p, oy down + a - py, ox down + b - px]
//   u = x with up - 1 zeros after each number, zero outside
//
// x: (planes, h, w).  y: (planes, oh, ow).  f: (fh, fw), as correlated.
// Padding py, px may be negative (crop).
// Dispatch: one invocation per number of y, folded over x and y.
alias stored = f32;
struct Params {
  n: u32, h: i32, w: i32, oh: i32, ow: i32, fh: i32, fw: i32, up: i32, down: i32, py: i32, px: i32
}
@group(0) @binding(0) var<storage, read> x: array<stored>;
@group(0) @binding(1) var<storage, read> f: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<stored>;
@group(0) @binding(3) var<uniform> params: Params;

// first tap that meets a number and not an inserted zero
fn first_tap(at: i32) -> i32 {
  let r = at % params.up;
  return select(-r, params.up - r, r > 0);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.n) { return; }
  let t = i32(i);
  let row = t / params.ow;
  let plane = row / params.oh;
  let top = (row - plane * params.oh) * params.down - params.py;
  let left = (t - row * params.ow) * params.down - params.px;
  let first = first_tap(left);
  var acc = 0.0;
  for (var a = first_tap(top); a < params.fh; a += params.up) {
    let sy = (top + a) / params.up;
    if (top + a < 0 || sy >= params.h) { continue; }
    let base = (plane * params.h + sy) * params.w;
    for (var b = first; b < params.fw; b += params.up) {
      let sx = (left + b) / params.up;
      if (left + b < 0 || sx >= params.w) { continue; }
      acc += f[a * params.fw + b] * f32(x[base + sx]);
    }
  }
  y[i] = stored(acc);
}
