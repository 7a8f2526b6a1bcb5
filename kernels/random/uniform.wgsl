// y[i] = a number in [0, 1) from (seed, stream, i): PCG's output hash applied
// twice, so that any element can be computed alone and every adapter agrees.
//
// Dispatch: one invocation per number, folded over x and y.
struct Params { n: u32, seed: u32, stream: u32 }
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<uniform> params: Params;

fn pcg(v: u32) -> u32 {
  let state = v * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.n) { return; }
  // 24 bits: exact in f32 and never 1
  y[i] = f32(pcg(i + pcg(params.stream + pcg(params.seed))) >> 8u) / 16777216.0;
}
