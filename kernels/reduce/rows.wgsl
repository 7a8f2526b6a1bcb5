// y[o, p, l] = OP over the vec4 k of part p with k mod WIDTH = l, and over
//              their numbers, of x[o, k]                   (OP 3: of x z)
//
// Reduces the last axis: x, z: (outer, length / 4) vec4, y: (outer, parts,
// WIDTH), which are then reduced in turn.  Part p has the vec4 [p run, p run +
// run) of a row.  The lanes of a workgroup read neighbours, so that memory is
// read in order whatever the shape; a vec4 per load saves iterations.
// OP as in reduce.wgsl; joined is joined.wgsl, which is put behind.
// Dispatch: parts outer workgroups, folded over x and y.
override OP: u32 = 0u;
override WIDTH: u32 = 64u;

struct Params { outer: u32, length: u32, parts: u32, run: u32 }
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> z: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WIDTH)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_id) lane: vec3u
) {
  let index = group.x + group.y * grid.x;
  let o = index / params.parts;
  if (o >= params.outer) { return; }
  let row = o * params.length;
  let begin = (index - o * params.parts) * params.run;
  let end = row + min(begin + params.run, params.length);
  var k = row + begin + lane.x;
  // for a maximum any number of the part does to begin with
  let first = select(vec4f(0.0), x[min(k, end - 1u)], OP == 1u);
  var a = first;
  var b = first;
  for (; k + WIDTH < end; k += 2u * WIDTH) {
    a = joined(a, k);
    b = joined(b, k + WIDTH);
  }
  if (k < end) { a = joined(a, k); }
  var acc = a + b;
  if (OP == 1u) { acc = larger(a, b); }
  let high = larger(acc, acc.zwxy);
  let sum = (acc.x + acc.y) + (acc.z + acc.w);
  y[index * WIDTH + lane.x] = select(sum, larger(high, high.yxwz).x, OP == 1u);
}
