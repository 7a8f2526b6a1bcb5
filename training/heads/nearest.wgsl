// depths[b, sample] = depth of the nearest surface, as the bits of an f32   STAGE 0
// owners[b, sample] = lowest index of a triangle of that depth              STAGE 1
// Of a card of hair only what is not cut out counts. Samples without a
// triangle keep what they hold: infinity.
//
// screen: (B, vertices, 3), see project.wgsl.  triangles: (T, 3): those of the
// body, then cards of all styles.  shots: (B, 36), see look.ts.
// uv: (vertices - body, 2).  strands: (styles, texture, texture).
// depths, owners: (B, side, side), u32.
// Dispatch: one invocation per triangle of body and style in x, pictures in y.
struct Params { stage: u32, first: u32, vertices: u32, body: u32, solid: u32, side: u32, texture: u32 }
@group(0) @binding(0) var<storage, read> screen: array<f32>;
@group(0) @binding(1) var<storage, read> triangles: array<u32>;
@group(0) @binding(2) var<storage, read> shots: array<f32>;
@group(0) @binding(3) var<storage, read> uv: array<f32>;
@group(0) @binding(4) var<storage, read> strands: array<f32>;
@group(0) @binding(5) var<storage, read_write> depths: array<atomic<u32>>;
@group(0) @binding(6) var<storage, read_write> owners: array<atomic<u32>>;
@group(0) @binding(7) var<uniform> params: Params;

// samples lie at + 0.5
fn firstSample(v: f32) -> i32 { return max(0, i32(ceil(v - 0.5))); }
fn lastSample(v: f32) -> i32 { return min(i32(params.side) - 1, i32(floor(v - 0.5))); }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let shot = params.first + id.y;
  let table = 36u * shot;
  let card = id.x >= params.solid;
  if (id.x >= params.solid + u32(shots[table + 27u])) { return; }
  let t = select(id.x, id.x + u32(shots[table + 26u]), card);
  let corners = vec3u(triangles[3u * t], triangles[3u * t + 1u], triangles[3u * t + 2u]);
  let a = place(shot, corners.x);
  let b = place(shot, corners.y);
  let c = place(shot, corners.z);
  let edge = abs(doubleArea(a.xy, b.xy, c.xy)) < 1e-9;
  if (edge || min(a.z, min(b.z, c.z)) < 0.1) { return; }
  let low = min(a.xy, min(b.xy, c.xy));
  let high = max(a.xy, max(b.xy, c.xy));
  let left = firstSample(low.x);
  let right = lastSample(high.x);
  let bottom = lastSample(high.y);
  var x = left;
  var y = firstSample(low.y);
  if (left > right) { return; }
  // one loop: lanes with flat and with tall triangles end together
  while (y <= bottom) {
    let w = cover(a, b, c, vec2f(f32(x), f32(y)) + 0.5);
    var seen = w.w > 0.0;
    if (seen && card) { seen = strand(corners, w.xyz, u32(shots[table + 28u])) > 0.0; }
    if (seen) {
      let i = (id.y * params.side + u32(y)) * params.side + u32(x);
      let depth = bitcast<u32>(w.w);
      if (params.stage == 0u) { atomicMin(&depths[i], depth); }
      else if (atomicLoad(&depths[i]) == depth) { atomicMin(&owners[i], t); }
    }
    x++;
    if (x > right) { x = left; y++; }
  }
}
