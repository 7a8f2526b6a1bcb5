// For each cell, the triangles of its case, their corners as indices of
// vertices; seen from outside they turn counter-clockwise.
//
// The vertex of the edge from point q along an axis has the index
//   vertices + offsets[run of q].x + before(q) + crossings of q on earlier axes.
//
// codes: see marching_cubes_classify.wgsl, with one plane more than is written.
// offsets: (runs + 1, 2), u32.  cases: (256, 8), see marching_cubes.ts.
// triangles: (T, 3), u32.  vertices: how many the slabs before have.
// runs: those that are written.
// Dispatch: one invocation per run, folded over x and y.
const RUN: u32 = 32u;

struct Params { runs: u32, across: u32, width: u32, height: u32, vertices: u32 }
@group(0) @binding(0) var<storage, read> codes: array<u32>;
@group(0) @binding(1) var<storage, read> offsets: array<vec2u>;
@group(0) @binding(2) var<storage, read> cases: array<u32>;
@group(0) @binding(3) var<storage, read_write> triangles: array<u32>;
@group(0) @binding(4) var<uniform> params: Params;

// edge: corner of the cell | axis << 3
fn vertex(x: u32, row: u32, edge: u32) -> u32 {
  let u = x + (edge & 1u);
  let v = row + ((edge >> 1u) & 1u) + ((edge >> 2u) & 1u) * params.height;
  let code = codes[v * params.width + u];
  let earlier = (code >> 8u) & ((1u << (edge >> 3u)) - 1u);
  return params.vertices + offsets[v * params.across + u / RUN].x + (code >> 11u) + countOneBits(earlier);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let r = id.x + id.y * groups.x * 64u;
  if (r >= params.runs) { return; }
  var t = offsets[r].y;
  if (t == offsets[r + 1u].y) { return; }
  let row = r / params.across;
  let start = (r - row * params.across) * RUN;
  for (var x = start; x < min(start + RUN, params.width); x++) {
    let corners = codes[row * params.width + x] & 255u;
    if (corners == 0u || corners == 255u) { continue; }
    let count = cases[8u * corners];
    for (var k = 1u; k <= count; k++) {
      let edges = cases[8u * corners + k];
      for (var c = 0u; c < 3u; c++) {
        triangles[3u * t + c] = vertex(x, row, (edges >> (5u * c)) & 31u);
      }
      t += 1u;
    }
  }
}
