// What a ray sees:
//   y[r, c]     = 2 sum_k weight_k (colour_k,c + colour_k+1,c) / 2 - 1      c < C
//   y[r, C]     = sum_k weight_k (t_k + t_k+1) / 2
//   y[r, C + 1] = sum_k weight_k
// colour = sigmoid(raw) 1.002 - 0.001 (SIGMOID 1, the OSG decoder's last step)
// or raw itself (SIGMOID 0).  WHITE 1 adds 1 - sum_k weight_k to every colour.
//
// raw: (R, S, 1 + C).  t: (R, S).  weights: (R, S), last one 0.  y: (R, C + 2).
// Dispatch: one invocation per number of y, folded over x and y; neighbours
// are channels of one ray, whose rows of raw lie side by side.
override SIGMOID: u32 = 1u;
override WHITE: u32 = 0u;

struct Params { n: u32, samples: u32, channels: u32 }
@group(0) @binding(0) var<storage, read> raw: array<f32>;
@group(0) @binding(1) var<storage, read> t: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.n) { return; }
  let c = i % (params.channels + 2u);
  let base = (i / (params.channels + 2u)) * params.samples;
  let stride = params.channels + 1u;
  var acc = 0.0;
  var opacity = 0.0;
  var before = 0.0;  // weight of the interval in front of sample k
  for (var k = base; k < base + params.samples; k++) {
    let w = weights[k];
    var v = 1.0;
    if (c < params.channels) {
      v = raw[k * stride + 1u + c];
      if (SIGMOID == 1u) { v = 1.002 / (1.0 + exp(-v)) - 0.001; }
    } else if (c == params.channels) {
      v = t[k];
    }
    acc += 0.5 * (before + w) * v;
    opacity += w;
    before = w;
  }
  if (c < params.channels) {
    if (WHITE == 1u) { acc += 1.0 - opacity; }
    acc = 2.0 * acc - 1.0;
  }
  y[i] = acc;
}
