// y[r, c] = exp(x[r, c] - m_r) / sum_c exp(x[r, c] - m_r),   m_r = max_c x[r, c]
//
// As softmax.wgsl by subgroups of 8 lanes, for columns in vec4: a subgroup
// reads a row in order, three times, and writes it once; computing the
// exponentials twice costs a CPU less than storing them in between.
// x, y: (rows, columns / 4) vec4.
// Dispatch: one workgroup per row, folded over x and y.
struct Params { rows: u32, columns: u32 }
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(2) var<uniform> params: Params;

// 1 / log(2)
const PER_OCTAVE: f32 = 1.4426950408889634;

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_id) lane: vec3u
) {
  let r = group.x + group.y * grid.x;
  if (r >= params.rows) { return; }
  let end = (r + 1u) * params.columns;
  let first = r * params.columns + lane.x;
  var peaks = x[min(first, end - 1u)];
  for (var k = first; k < end; k += 8u) { peaks = max(peaks, x[k]); }
  let largest = subgroupMax(max(max(peaks.x, peaks.y), max(peaks.z, peaks.w)));
  var sums = vec4f(0.0);
  for (var k = first; k < end; k += 8u) { sums += exp2((x[k] - largest) * PER_OCTAVE); }
  let factor = 1.0 / subgroupAdd((sums.x + sums.y) + (sums.z + sums.w));
  for (var k = first; k < end; k += 8u) { y[k] = exp2((x[k] - largest) * PER_OCTAVE) * factor; }
}
