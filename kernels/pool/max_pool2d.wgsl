// y[p, oy, ox] = max_{a, b} x[p, oy sy + a - py, ox sx + b - px]
// place[p, oy, ox] = index in the plane of the first number that is the largest
//
// x: (planes, h, w).  y: (planes, oh, ow).  place: u32, the same shape.
// What lies outside x does not count.
// Dispatch: one invocation per number of y, folded over x and y.
struct Params {
  n: u32, h: i32, w: i32, oh: i32, ow: i32, kh: i32, kw: i32, sy: i32, sx: i32, py: i32, px: i32
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> place: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;

// by its bits, since some drivers fold v != v away
fn is_nan(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.n) { return; }
  let t = i32(i);
  let line = t / params.ow;
  let plane = line / params.oh;
  let top = (line - plane * params.oh) * params.sy - params.py;
  let left = (t - line * params.ow) * params.sx - params.px;
  let base = plane * params.h * params.w;
  let x0 = max(left, 0);
  let x1 = min(left + params.kw, params.w);
  let y1 = min(top + params.kh, params.h);
  var spot = max(top, 0) * params.w + x0;
  var best = x[base + spot];
  for (var a = max(top, 0); a < y1; a++) {
    for (var b = x0; b < x1; b++) {
      let k = a * params.w + b;
      let v = x[base + k];
      if (v > best || is_nan(v)) { best = v; spot = k; }
    }
  }
  y[i] = best;
  place[i] = u32(spot);
}
