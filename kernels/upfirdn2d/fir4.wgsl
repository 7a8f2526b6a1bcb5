// y[p, oy, ox] = sum_{a, b} v_a w_b x[p, oy DOWN + a - py, ox DOWN + b - px]
//
// x: (planes, h, width).  y: (planes, oh, ow).  v, w: four taps per axis, as
// correlated; zero outside x.
// DOWN 1: an invocation makes four numbers of a row from seven columns;
// DOWN 2: two from six.
// Dispatch: one invocation per run of 4 / DOWN numbers of y, folded over x, y.
alias stored = f32;
override DOWN: i32 = 1;

struct Params {
  n: u32, h: i32, width: i32, oh: i32, ow: i32, py: i32, px: i32, runs: i32,
  v0: f32, v1: f32, v2: f32, v3: f32, w0: f32, w1: f32, w2: f32, w3: f32
}
@group(0) @binding(0) var<storage, read> x: array<stored>;
@group(0) @binding(1) var<storage, read_write> y: array<stored>;
@group(0) @binding(2) var<uniform> params: Params;

// A load outside is made inside and not used: a CPU runs both sides of a branch.
fn number(base: i32, sy: i32, sx: i32) -> f32 {
  let v = f32(x[base + clamp(sy, 0, params.h - 1) * params.width + sx]);
  return select(0.0, v, sy >= 0 && sy < params.h);
}

// filtered column sx of the rows from top
fn column(base: i32, top: i32, sx: i32) -> f32 {
  let at = clamp(sx, 0, params.width - 1);
  let v = params.v0 * number(base, top, at) + params.v1 * number(base, top + 1, at)
    + params.v2 * number(base, top + 2, at) + params.v3 * number(base, top + 3, at);
  return select(0.0, v, sx == at);
}

fn row(a: f32, b: f32, c: f32, d: f32) -> stored {
  return stored(params.w0 * a + params.w1 * b + params.w2 * c + params.w3 * d);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.n) { return; }
  let t = i32(i);
  let line = t / params.runs;
  let ox = (t - line * params.runs) * (4 / DOWN);
  let plane = line / params.oh;
  let top = (line - plane * params.oh) * DOWN - params.py;
  let left = ox * DOWN - params.px;
  let base = plane * params.h * params.width;
  let out = line * params.ow + ox;
  let c0 = column(base, top, left);
  let c1 = column(base, top, left + 1);
  let c2 = column(base, top, left + 2);
  let c3 = column(base, top, left + 3);
  let c4 = column(base, top, left + 4);
  let c5 = column(base, top, left + 5);
  y[out] = row(c0, c1, c2, c3);
  if (DOWN == 2) {
    if (ox + 1 < params.ow) { y[out + 1] = row(c2, c3, c4, c5); }
  } else {
    if (ox + 1 < params.ow) { y[out + 1] = row(c1, c2, c3, c4); }
    if (ox + 2 < params.ow) { y[out + 2] = row(c2, c3, c4, c5); }
    if (ox + 3 < params.ow) { y[out + 3] = row(c3, c4, c5, column(base, top, left + 6)); }
  }
}
