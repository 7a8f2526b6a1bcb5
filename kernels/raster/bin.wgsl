// bins[tile, w]    = bits of the triangles 32 w .. 32 w + 31 whose box meets the
//                    tile of 8 x 8 pixels. A set has no order, so the result is
//                    always the same.
// summary[tile, s] = bits of the words 32 s .. 32 s + 31 of bins that are not 0,
//                    so that a tile's pixels need not look at all of them.
//
// bounds: (T, 2), see setup.wgsl.  bins: (tiles, words), u32, words = ceil(T / 32).
// summary: (tiles, groups), u32, groups = ceil(words / 32).  Tiles are those of
// a band of the picture, whose first row of pixels is top.
// Dispatch: one invocation per word of summary, folded over x and y.
struct Params { n: u32, triangles: u32, words: u32, groups: u32, across: u32, top: u32 }
@group(0) @binding(0) var<storage, read> bounds: array<u32>;
@group(0) @binding(1) var<storage, read_write> bins: array<u32>;
@group(0) @binding(2) var<storage, read_write> summary: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.n) { return; }
  let tile = i / params.groups;
  let begin = (i - tile * params.groups) * 32u;
  let left = (tile % params.across) * 8u;
  let top = params.top + (tile / params.across) * 8u;
  var used = 0u;
  for (var w = begin; w < min(begin + 32u, params.words); w++) {
    var word = 0u;
    for (var k = 0u; k < min(32u, params.triangles - 32u * w); k++) {
      let x = bounds[64u * w + 2u * k];
      let y = bounds[64u * w + 2u * k + 1u];
      let meets = (x & 0xffffu) < left + 8u && (x >> 16u) >= left
        && (x & 0xffffu) <= (x >> 16u)
        && (y & 0xffffu) < top + 8u && (y >> 16u) >= top;
      word |= select(0u, 1u << k, meets);
    }
    bins[tile * params.words + w] = word;
    used |= select(0u, 1u << (w - begin), word != 0u);
  }
  summary[i] = used;
}
