// For each grid point p of a slab, which corners of the cell above it lie
// inside, which edges that leave it cross the level, and how many vertices the
// points before it in its run have; for each run, how much it will write:
//   code[p]   = corners | crossings << 8 | before << 11
//   counts[r] = (vertices, triangles)
//
// A point is inside where its value exceeds the level; NaN is outside. Corner
// x + 2 y + 4 z of a cell is bit x + 2 y + 4 z, the edge along axis a bit a. A
// run is RUN neighbouring points of one row. The cell above a point on the upper
// border does not exist and counts as empty.
//
// values: (depth, height, width).  cases: (256, 8), see marching_cubes.ts.
// codes: (planes, height, width), u32, planes from `first` on.
// counts: (runs + 1, 2), u32, the last one 0; runs = planes * height * across.
// marching_cubes_field.wgsl is put behind.
// Dispatch: one invocation per run and one more, folded over x and y.
const RUN: u32 = 32u;

struct Params { runs: u32, across: u32, width: u32, height: u32, depth: u32, first: u32, level: f32 }
@group(0) @binding(0) var<storage, read> values: array<f32>;
@group(0) @binding(1) var<storage, read> cases: array<u32>;
@group(0) @binding(2) var<storage, read_write> codes: array<u32>;
@group(0) @binding(3) var<storage, read_write> counts: array<vec2u>;
@group(0) @binding(4) var<uniform> params: Params;

fn inside(x: u32, y: u32, z: u32) -> u32 { return u32(value(x, y, z) > params.level); }

// the corners of a cell that have this x, as bits 2 y + 4 z
fn side(x: u32, y: u32, z: u32) -> u32 {
  let v = min(y + 1u, params.height - 1u);
  let w = min(z + 1u, params.depth - 1u);
  return inside(x, y, z) | (inside(x, v, z) << 2u) | (inside(x, y, w) << 4u) | (inside(x, v, w) << 6u);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let r = id.x + id.y * groups.x * 64u;
  if (r > params.runs) { return; }
  if (r == params.runs) {
    counts[r] = vec2u(0u);
    return;
  }
  let row = r / params.across;
  let start = (r - row * params.across) * RUN;
  let y = row % params.height;
  let z = params.first + row / params.height;
  let last = params.width - 1u;
  let cells = y + 1u < params.height && z + 1u < params.depth;
  var vertices = 0u;
  var triangles = 0u;
  var here = side(start, y, z);
  for (var x = start; x < min(start + RUN, params.width); x++) {
    let next = side(min(x + 1u, last), y, z);
    let crossings = ((here ^ next) & 1u)
      | (((here ^ (here >> 2u)) & 1u) << 1u)
      | (((here ^ (here >> 4u)) & 1u) << 2u);
    let corners = select(0u, here | (next << 1u), cells && x < last);
    codes[row * params.width + x] = corners | (crossings << 8u) | (vertices << 11u);
    vertices += countOneBits(crossings);
    if (corners != 0u && corners != 255u) { triangles += cases[8u * corners]; }
    here = next;
  }
  counts[r] = vec2u(vertices, triangles);
}
