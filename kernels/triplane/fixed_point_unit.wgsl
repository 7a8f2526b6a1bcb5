// unit[0] = how many fixed-point units 1 is worth, so that no sum overflows:
//   unit = 2^30 / (max |g| * max over texels of the summed weights)
// rounded down to a power of two, which makes products exact.
//
// largest: max |g|.  weights: max of the weight sums, an i32 at 2^-12.
// Dispatch: one invocation.
@group(0) @binding(0) var<storage, read> largest: array<f32>;
@group(0) @binding(1) var<storage, read> weights: array<f32>;
@group(0) @binding(2) var<storage, read_write> unit: array<f32>;

@compute @workgroup_size(1)
fn main() {
  let bound = largest[0] * max(weights[0] / 4096.0, 1.0);
  unit[0] = exp2(clamp(floor(30.0 - log2(max(bound, 1e-30))), -100.0, 100.0));
}
