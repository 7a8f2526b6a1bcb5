// y[o, p, i] = OP over the j of part p of x[o, j, i]        (OP 3: of x z)
//
// As reduce.wgsl for long inner axes: x, z: (outer, length, inner / 4) vec4,
// y: (outer, parts, inner / 4) vec4.  Part p has j in [p run, p run + run).
// Tile: WIDTH BLOCK (1, 2, 4 or 8) vec4 of y per workgroup of WIDTH: wide tiles
// read more of each row before they go on to the next, which lies pages away.
// OP as in reduce.wgsl; joined is joined.wgsl, which is put behind.
// Dispatch: tiles parts outer workgroups, folded over x and y.
override OP: u32 = 0u;
override WIDTH: u32 = 64u;
override BLOCK: u32 = 1u;

struct Params { outer: u32, length: u32, inner: u32, tiles: u32, parts: u32, run: u32, scale: f32 }
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> z: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

fn start(k: u32) -> vec4f { return select(vec4f(0.0), x[k], OP == 1u); }

@compute @workgroup_size(WIDTH)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_id) lane: vec3u
) {
  let index = group.x + group.y * grid.x;
  let part = index / params.tiles;
  let o = part / params.parts;
  if (o >= params.outer) { return; }
  let column = (index - part * params.tiles) * WIDTH * BLOCK + lane.x;
  // columns past the end repeat the last one, which is stored several times
  let c = min(vec4u(0u, 1u, 2u, 3u) * WIDTH + column, vec4u(params.inner - 1u));
  let d = min(vec4u(4u, 5u, 6u, 7u) * WIDTH + column, vec4u(params.inner - 1u));
  let begin = (part - o * params.parts) * params.run;
  let rows = min(params.run, params.length - begin);
  var k = (o * params.length + begin) * params.inner;
  var s0 = start(k + c.x);
  var s1 = vec4f(0.0);
  var s2 = vec4f(0.0);
  var s3 = vec4f(0.0);
  var s4 = vec4f(0.0);
  var s5 = vec4f(0.0);
  var s6 = vec4f(0.0);
  var s7 = vec4f(0.0);
  if (BLOCK > 1u) { s1 = start(k + c.y); }
  if (BLOCK > 2u) { s2 = start(k + c.z); s3 = start(k + c.w); }
  if (BLOCK > 4u) { s4 = start(k + d.x); s5 = start(k + d.y); s6 = start(k + d.z); s7 = start(k + d.w); }
  for (var j = 0u; j < rows; j++) {
    s0 = joined(s0, k + c.x);
    if (BLOCK > 1u) { s1 = joined(s1, k + c.y); }
    if (BLOCK > 2u) {
      s2 = joined(s2, k + c.z);
      s3 = joined(s3, k + c.w);
    }
    if (BLOCK > 4u) {
      s4 = joined(s4, k + d.x);
      s5 = joined(s5, k + d.y);
      s6 = joined(s6, k + d.z);
      s7 = joined(s7, k + d.w);
    }
    k += params.inner;
  }
  let to = part * params.inner;
  y[to + c.x] = s0 * params.scale;
  if (BLOCK > 1u) { y[to + c.y] = s1 * params.scale; }
  if (BLOCK > 2u) { y[to + c.z] = s2 * params.scale; y[to + c.w] = s3 * params.scale; }
  if (BLOCK > 4u) {
    y[to + d.x] = s4 * params.scale;
    y[to + d.y] = s5 * params.scale;
    y[to + d.z] = s6 * params.scale;
    y[to + d.w] = s7 * params.scale;
  }
}
