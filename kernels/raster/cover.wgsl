// triangle[p] = the nearest triangle over the centre of pixel p, of several
// equally near the one of lowest index, 0xffffffff where there is none;
// barycentric[k, p] = weight of its corner k there (0 where there is none).
//
// A centre on an edge belongs to the triangle whose top or left edge it is, so
// that neighbours never share it nor leave it out. For that both must compute
// the same number: an edge is always taken from its lower to its higher end.
// Triangles are seen from both sides; depth is linear on the screen.
//
// corners: (T, 9).  bins: (tiles, words) and summary: (tiles, groups), see bin.wgsl,
// of the band of pixels that is drawn; its first row is top.
// triangle: (height, width), u32.  barycentric: (3, height, width).
// Dispatch: one workgroup per tile of 8 x 8 pixels, folded over x and y.
struct Params { height: u32, width: u32, words: u32, groups: u32, across: u32, top: u32, tiles: u32 }
@group(0) @binding(0) var<storage, read> corners: array<f32>;
@group(0) @binding(1) var<storage, read> bins: array<u32>;
@group(0) @binding(2) var<storage, read> summary: array<u32>;
@group(0) @binding(3) var<storage, read_write> triangle: array<u32>;
@group(0) @binding(4) var<storage, read_write> barycentric: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

// twice the area of (a, b, p), the same but for the sign as of (b, a, p)
fn edge(a: vec2f, b: vec2f, p: vec2f) -> f32 {
  let swap = a.y > b.y || (a.y == b.y && a.x > b.x);
  let low = select(a, b, swap);
  let high = select(b, a, swap);
  let e = (high.x - low.x) * (p.y - low.y) - (high.y - low.y) * (p.x - low.x);
  return select(e, -e, swap);
}

// Whether the inside of a triangle with positive areas (y down) begins on the
// edge from a to b: upwards is a left edge, level to the right a top edge.
fn owns(a: vec2f, b: vec2f) -> bool { return b.y < a.y || (b.y == a.y && b.x > a.x); }

fn inside(e: f32, a: vec2f, b: vec2f) -> bool { return e > 0.0 || (e == 0.0 && owns(a, b)); }

@compute @workgroup_size(8, 8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let tile = group.x + group.y * groups.x;
  let x = (tile % params.across) * 8u + local.x;
  let y = params.top + (tile / params.across) * 8u + local.y;
  if (tile >= params.tiles || x >= params.width || y >= params.height) { return; }
  let p = vec2f(f32(x) + 0.5, f32(y) + 0.5);
  var nearest = 0xffffffffu;
  var depth = 0.0;
  var weights = vec3f(0.0);
  for (var s = 0u; s < params.groups; s++) {
    var used = summary[tile * params.groups + s];
    while (used != 0u) {
      let w = 32u * s + countTrailingZeros(used);
      used &= used - 1u;
      var word = bins[tile * params.words + w];
      while (word != 0u) {
        let t = 32u * w + countTrailingZeros(word);
        word &= word - 1u;
        let k = 9u * t;
        let a = vec2f(corners[k], corners[k + 1u]);
        let b0 = vec2f(corners[k + 3u], corners[k + 4u]);
        let c0 = vec2f(corners[k + 6u], corners[k + 7u]);
        let turned = edge(a, b0, c0) < 0.0;
        let b = select(b0, c0, turned);
        let c = select(c0, b0, turned);
        let ea = edge(b, c, p);
        let eb = edge(c, a, p);
        let ec = edge(a, b, p);
        let area = ea + eb + ec;
        if (!(area > 0.0 && inside(ea, b, c) && inside(eb, c, a) && inside(ec, a, b))) { continue; }
        let wb = select(eb, ec, turned) / area;
        let wc = select(ec, eb, turned) / area;
        // from the differences, so that a level triangle has one depth everywhere
        let za = corners[k + 2u];
        let z = za + wb * (corners[k + 5u] - za) + wc * (corners[k + 8u] - za);
        if (nearest == 0xffffffffu || z < depth) {
          nearest = t;
          depth = z;
          weights = vec3f(1.0 - wb - wc, wb, wc);
        }
      }
    }
  }
  let i = y * params.width + x;
  let pixels = params.height * params.width;
  triangle[i] = nearest;
  barycentric[i] = weights.x;
  barycentric[pixels + i] = weights.y;
  barycentric[2u * pixels + i] = weights.z;
}
