// dx[p, i] = sum of g[p, oy, ox] over the windows whose largest number is i
//
// dx: (planes, h, w).  g: (planes, oh, ow).  place: u32, from the forward pass.
// Gathers, so that the order of additions is fixed.
// Dispatch: one invocation per number of dx, folded over x and y.
struct Params {
  n: u32, h: i32, w: i32, oh: i32, ow: i32, kh: i32, kw: i32, sy: i32, sx: i32, py: i32, px: i32
}
@group(0) @binding(0) var<storage, read> g: array<f32>;
@group(0) @binding(1) var<storage, read> place: array<u32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

// first window that reaches position at (already shifted by the padding)
fn first_window(at: i32, kernel: i32, stride: i32) -> i32 {
  return max(at - kernel + stride, 0) / stride;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.n) { return; }
  let t = i32(i);
  let line = t / params.w;
  let plane = line / params.h;
  let row = line - plane * params.h;
  let column = t - line * params.w;
  let here = u32(row * params.w + column);
  let base = plane * params.oh * params.ow;
  let y1 = min((row + params.py) / params.sy, params.oh - 1);
  let x0 = first_window(column + params.px, params.kw, params.sx);
  let x1 = min((column + params.px) / params.sx, params.ow - 1);
  var acc = 0.0;
  for (var a = first_window(row + params.py, params.kh, params.sy); a <= y1; a++) {
    for (var b = x0; b <= x1; b++) {
      let k = base + a * params.ow + b;
      if (place[k] == here) { acc += g[k]; }
    }
  }
  dx[i] = acc;
}
