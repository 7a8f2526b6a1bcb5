// Up by 2 with at most four taps per axis, without the inserted zeros: a pair
// of numbers of y along one axis comes from three neighbours of x,
//   even = e0 x_0 + e1 x_1 + e2 x_2        odd = o0 x_0 + o1 x_1 + o2 x_2
// (the caller works out e and o from taps and padding), both axes alike.
//
// x: (planes, h, w).  y: (planes, oh, ow).  Pair j starts at x index j - ty
// (rows) or j - tx (columns); zero outside x.
// Dispatch: one invocation per 2 x 2 block of y, folded over x and y.
alias stored = f32;
struct Params {
  n: u32, h: i32, w: i32, oh: i32, ow: i32, bh: i32, bw: i32, ty: i32, tx: i32,
  ve0: f32, ve1: f32, ve2: f32, vo0: f32, vo1: f32, vo2: f32,
  we0: f32, we1: f32, we2: f32, wo0: f32, wo1: f32, wo2: f32
}
@group(0) @binding(0) var<storage, read> x: array<stored>;
@group(0) @binding(1) var<storage, read_write> y: array<stored>;
@group(0) @binding(2) var<uniform> params: Params;

// A load outside is made inside and not used: a CPU runs both sides of a branch.
fn number(base: i32, sy: i32, sx: i32) -> f32 {
  let r = clamp(sy, 0, params.h - 1);
  let c = clamp(sx, 0, params.w - 1);
  return select(0.0, f32(x[base + r * params.w + c]), r == sy && c == sx);
}

// (even, odd) along the row sy
fn pair(base: i32, sy: i32, sx: i32) -> vec2f {
  let a = number(base, sy, sx);
  let b = number(base, sy, sx + 1);
  let c = number(base, sy, sx + 2);
  return vec2f(
    params.we0 * a + params.we1 * b + params.we2 * c,
    params.wo0 * a + params.wo1 * b + params.wo2 * c,
  );
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.n) { return; }
  let t = i32(i);
  let line = t / params.bw;
  let bx = t - line * params.bw;
  let plane = line / params.bh;
  let by = line - plane * params.bh;
  let base = plane * params.h * params.w;
  let r0 = pair(base, by - params.ty, bx - params.tx);
  let r1 = pair(base, by - params.ty + 1, bx - params.tx);
  let r2 = pair(base, by - params.ty + 2, bx - params.tx);
  let even = params.ve0 * r0 + params.ve1 * r1 + params.ve2 * r2;
  let odd = params.vo0 * r0 + params.vo1 * r1 + params.vo2 * r2;
  let wide = 2 * bx + 1 < params.ow;
  let out = (plane * params.oh + 2 * by) * params.ow + 2 * bx;
  y[out] = stored(even.x);
  if (wide) { y[out + 1] = stored(even.y); }
  if (2 * by + 1 < params.oh) {
    y[out + params.ow] = stored(odd.x);
    if (wide) { y[out + params.ow + 1] = stored(odd.y); }
  }
}
