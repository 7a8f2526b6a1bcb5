// For each edge a b along an axis that crosses the level, one vertex:
//   t        = (level - value(a)) / (value(b) - value(a)), kept off the ends
//   position = origin + spacing (a + t axis)
//   normal   = -g / |g|,  g = (1 - t) gradient(a) + t gradient(b)
// with central differences of the values, one-sided at the border.
//
// values, codes: see marching_cubes_classify.wgsl.  offsets: (runs + 1, 2), u32,
// what the runs before have written.  positions, normals: (V, 3), x y z.
// Plane 0 of the slab is plane `base` of the grid. runs: those that are written.
// marching_cubes_field.wgsl is put behind.
// Dispatch: one invocation per run, folded over x and y.
const RUN: u32 = 32u;
// a vertex on a grid point would join others there in triangles without area
const NEAR: f32 = 0.001;

struct Params {
  runs: u32, across: u32, width: u32, height: u32, depth: u32, first: u32, base: u32, level: f32,
  origin_x: f32, origin_y: f32, origin_z: f32, spacing_x: f32, spacing_y: f32, spacing_z: f32,
}
@group(0) @binding(0) var<storage, read> values: array<f32>;
@group(0) @binding(1) var<storage, read> codes: array<u32>;
@group(0) @binding(2) var<storage, read> offsets: array<vec2u>;
@group(0) @binding(3) var<storage, read_write> positions: array<f32>;
@group(0) @binding(4) var<storage, read_write> normals: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

fn gradient(p: vec3u) -> vec3f {
  let low = max(p, vec3u(1u)) - vec3u(1u);
  let high = min(p + vec3u(1u), vec3u(params.width, params.height, params.depth) - vec3u(1u));
  return vec3f(
    value(high.x, p.y, p.z) - value(low.x, p.y, p.z),
    value(p.x, high.y, p.z) - value(p.x, low.y, p.z),
    value(p.x, p.y, high.z) - value(p.x, p.y, low.z))
    / vec3f(high - low) / vec3f(params.spacing_x, params.spacing_y, params.spacing_z);
}

fn emit(v: u32, a: vec3u, axis: u32) {
  var step = vec3u(0u);
  step[axis] = 1u;
  let b = a + step;
  let from_a = value(a.x, a.y, a.z);
  let to_b = value(b.x, b.y, b.z);
  let t = clamp((params.level - from_a) / (to_b - from_a), NEAR, 1.0 - NEAR);
  let at = vec3f(a + vec3u(0u, 0u, params.base)) + t * vec3f(step);
  // its largest component is made 1: squares of it can neither vanish nor overflow
  let g = mix(gradient(a), gradient(b), t);
  let largest = max(max(abs(g.x), abs(g.y)), abs(g.z));
  let along = select(vec3f(step) * sign(to_b - from_a), g / largest, largest > 0.0);
  let n = -normalize(along);
  positions[3u * v] = params.origin_x + params.spacing_x * at.x;
  positions[3u * v + 1u] = params.origin_y + params.spacing_y * at.y;
  positions[3u * v + 2u] = params.origin_z + params.spacing_z * at.z;
  normals[3u * v] = n.x;
  normals[3u * v + 1u] = n.y;
  normals[3u * v + 2u] = n.z;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let r = id.x + id.y * groups.x * 64u;
  if (r >= params.runs) { return; }
  var v = offsets[r].x;
  if (v == offsets[r + 1u].x) { return; }
  let row = r / params.across;
  let start = (r - row * params.across) * RUN;
  let y = row % params.height;
  let z = params.first + row / params.height;
  for (var x = start; x < min(start + RUN, params.width); x++) {
    let crossings = (codes[row * params.width + x] >> 8u) & 7u;
    if (crossings == 0u) { continue; }
    for (var axis = 0u; axis < 3u; axis++) {
      if ((crossings & (1u << axis)) == 0u) { continue; }
      emit(v, vec3u(x, y, z), axis);
      v += 1u;
    }
  }
}
