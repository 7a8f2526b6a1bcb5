// frame[b, 0..2] = 2 C - 1, C the mean colour of a pixel's samples and the backdrop's behind
//   them, in [0, 1], with the sensor's noise
// frame[b, 3]    = share of the samples that show a surface
// frame[b, 4]    = their mean distance along the ray; where there is none, to where the ray
//   leaves the volume
//
// screen, triangles, shots, uv, strands: see nearest.wgsl.
// owners: (pictures, side, side), u32.  colours: (heads, vertices, 3).
// frame: (B, 5, side / samples, side / samples).
// Dispatch: one invocation per pixel in x, pictures in y.
struct Params { first: u32, vertices: u32, body: u32, solid: u32, side: u32, samples: u32, texture: u32 }
@group(0) @binding(0) var<storage, read> screen: array<f32>;
@group(0) @binding(1) var<storage, read> triangles: array<u32>;
@group(0) @binding(2) var<storage, read> shots: array<f32>;
@group(0) @binding(3) var<storage, read> uv: array<f32>;
@group(0) @binding(4) var<storage, read> strands: array<f32>;
@group(0) @binding(5) var<storage, read> owners: array<u32>;
@group(0) @binding(6) var<storage, read> colours: array<f32>;
@group(0) @binding(7) var<storage, read_write> frame: array<f32>;
@group(0) @binding(8) var<uniform> params: Params;

// half of the volume's side, less what a backdrop needs behind it
const HALF: f32 = 0.335;
// rays from 2.7 away leave the volume between these
const NEAREST: f32 = 2.5;
const FARTHEST: f32 = 3.0;

fn colour(head: u32, v: u32) -> vec3f {
  let k = 3u * (head * params.vertices + v);
  return vec3f(colours[k], colours[k + 1u], colours[k + 2u]);
}

// on the camera's plane at distance 1
fn direction(table: u32, p: vec2f) -> vec3f {
  let at = p / f32(params.side);
  return vec3f(
    (at.x - shots[table + 18u]) / shots[table + 16u],
    (at.y - shots[table + 21u]) / shots[table + 20u],
    1.0,
  );
}

// colour and distance along the ray of what a sample shows; 0 where nothing
fn shade(shot: u32, p: vec2u, t: u32) -> vec4f {
  let table = 36u * shot;
  let head = u32(shots[table + 25u]);
  let corners = vec3u(triangles[3u * t], triangles[3u * t + 1u], triangles[3u * t + 2u]);
  let at = vec2f(p) + 0.5;
  let w = cover(place(shot, corners.x), place(shot, corners.y), place(shot, corners.z), at);
  var c = w.x * colour(head, corners.x) + w.y * colour(head, corners.y) + w.z * colour(head, corners.z);
  if (t >= params.solid) { c *= strand(corners, w.xyz, u32(shots[table + 28u])); }
  return vec4f(c, w.w * length(direction(table, at)));
}

fn hash(v: u32) -> u32 {
  let state = v * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}

// standard normals, by Box and Muller
fn normals(seed: u32, pixel: u32) -> vec3f {
  var h = vec4u(hash(pixel + hash(seed)), 0u, 0u, 0u);
  h.y = hash(h.x);
  h.z = hash(h.y);
  h.w = hash(h.z);
  let u = (vec4f(h >> vec4u(8u)) + 0.5) / 16777216.0;
  let r = sqrt(-2.0 * log(u.xz));
  return vec3f(r.x * cos(6.2831853 * u.y), r.x * sin(6.2831853 * u.y), r.y * cos(6.2831853 * u.w));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let across = params.side / params.samples;
  if (id.x >= across * across) { return; }
  let shot = params.first + id.y;
  let table = 36u * shot;
  let corner = vec2u(id.x % across, id.x / across) * params.samples;
  var sum = vec4f(0.0);
  var hits = 0.0;
  for (var k = 0u; k < params.samples * params.samples; k++) {
    let p = corner + vec2u(k % params.samples, k / params.samples);
    let t = owners[(id.y * params.side + p.y) * params.side + p.x];
    // infinity, as which samples begin
    if (t == 0x7f800000u) { continue; }
    sum += shade(shot, p, t);
    hits += 1.0;
  }

  let ray = direction(table, vec2f(corner) + 0.5 * f32(params.samples));
  let rows = array(table, table + 4u, table + 8u);
  var d = vec3f(0.0);
  var o = vec3f(0.0);
  for (var k = 0u; k < 3u; k++) {
    d[k] = dot(vec3f(shots[rows[k]], shots[rows[k] + 1u], shots[rows[k] + 2u]), ray);
    o[k] = shots[rows[k] + 3u];
  }
  d = normalize(d);
  let safe = select(d, vec3f(1e-8), abs(d) < vec3f(1e-8));
  let exits = (HALF * sign(safe) - o) / safe;
  let back = clamp(min(exits.x, min(exits.y, exits.z)), NEAREST, FARTHEST);
  let wall = (o + back * d).xy / HALF;

  let slope = dot(wall, vec2f(shots[table + 32u], shots[table + 33u]));
  let backdrop = vec3f(shots[table + 29u], shots[table + 30u], shots[table + 31u]) + slope;
  let count = f32(params.samples * params.samples);
  let share = hits / count;
  let mean = sum.rgb / count + (1.0 - share) * clamp(backdrop, vec3f(0.0), vec3f(1.0));
  let noise = shots[table + 34u] * normals(u32(shots[table + 35u]), id.x);
  let pixel = 2.0 * clamp(mean + noise, vec3f(0.0), vec3f(1.0)) - 1.0;
  let pixels = across * across;
  let out = 5u * shot * pixels + id.x;
  frame[out] = pixel.r;
  frame[out + pixels] = pixel.g;
  frame[out + 2u * pixels] = pixel.b;
  frame[out + 3u * pixels] = share;
  frame[out + 4u * pixels] = select(back, sum.w / max(hits, 1.0), hits > 0.0);
}
