// y[o, c] = G' m G  with the 4 x 4 matrix m = the 16 numbers m[:, o, c]
// G = [1 0 0; 1/2 1/2 1/2; 1/2 -1/2 1/2; 0 0 1]
//
// The adjoint of the first step of Winograd's F(2x2, 3x3): the gradient of the
// weight from sums over all tiles of products of transformed gradients with
// transformed pixels.
// m: (16, rows, depth).  y: (rows, depth, 3, 3).
// Dispatch: x = depth, y = rows.
struct Params { rows: u32, depth: u32 }
@group(0) @binding(0) var<storage, read> m: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

fn products(at: u32) -> vec4f {
  let step = params.rows * params.depth;
  return vec4f(m[at], m[at + step], m[at + 2u * step], m[at + 3u * step]);
}

// a row of m times G
fn taps(k: vec4f) -> vec3f {
  let even = 0.5 * (k.y + k.z);
  return vec3f(k.x + even, 0.5 * (k.y - k.z), even + k.w);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) lane: vec3u) {
  let c = group.x * 64u + lane.x;
  if (c >= params.depth) { return; }
  let at = group.y * params.depth + c;
  let step = 4u * params.rows * params.depth;
  let k0 = taps(products(at));
  let k1 = taps(products(at + step));
  let k2 = taps(products(at + 2u * step));
  let k3 = taps(products(at + 3u * step));
  let even = 0.5 * (k1 + k2);
  let upper = k0 + even;
  let middle = 0.5 * (k1 - k2);
  let lower = even + k3;
  let to = at * 9u;
  y[to] = upper.x;
  y[to + 1u] = upper.y;
  y[to + 2u] = upper.z;
  y[to + 3u] = middle.x;
  y[to + 4u] = middle.y;
  y[to + 5u] = middle.z;
  y[to + 6u] = lower.x;
  y[to + 7u] = lower.y;
  y[to + 8u] = lower.z;
}
