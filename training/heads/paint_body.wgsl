// colours[h, v] = C (ambient (0.72 + 0.28 n_y) tint_a + key w(n . l) tint_k) o + s
//   C: colour of the material, n: normal, l: direction to the light,
//   w(x) = max(0, (x + 0.3) / 1.3), o: openness, s: highlight,
//   limited to [0, 1].
//
// world: (heads, all, 3), of which the first `vertices` are the body.
// fans: for each vertex where its fan begins and the end of the last; then
//   pairs of vertices, one for each triangle around.
// surface: (vertices, 6), see body.ts.  albedo: (heads, skin, 3).
// brows: (styles, skin).  looks: (heads, 12, 4), see look.ts.
// colours: (heads, all, 3).
// Dispatch: one invocation per vertex in x, heads in y.
struct Params { vertices: u32, all: u32, skin: u32, mouth: f32, throat: f32 }
@group(0) @binding(0) var<storage, read> world: array<f32>;
@group(0) @binding(1) var<storage, read> fans: array<u32>;
@group(0) @binding(2) var<storage, read> surface: array<f32>;
@group(0) @binding(3) var<storage, read> albedo: array<f32>;
@group(0) @binding(4) var<storage, read> brows: array<f32>;
@group(0) @binding(5) var<storage, read> looks: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> colours: array<f32>;
@group(0) @binding(7) var<uniform> params: Params;

fn place(head: u32, v: u32) -> vec3f {
  let k = 3u * (head * params.all + v);
  return vec3f(world[k], world[k + 1u], world[k + 2u]);
}

// weighted by area
fn normal(head: u32, v: u32, p: vec3f) -> vec3f {
  var sum = vec3f(0.0);
  for (var k = fans[v]; k < fans[v + 1u]; k += 2u) {
    sum += cross(place(head, fans[k]) - p, place(head, fans[k + 1u]) - p);
  }
  return sum / max(length(sum), 1e-12);
}

fn skin(head: u32, v: u32, scalp: f32, collar: f32, beard: f32) -> vec3f {
  let hair = looks[12u * head + 4u];
  let mean = looks[12u * head + 5u];
  let clothes = looks[12u * head + 6u];
  let k = 3u * (head * params.skin + v);
  let style = u32(clothes.w) * params.skin + v;
  let brow = mix(brows[style], brows[style + params.skin], looks[12u * head + 7u].w);
  var c = vec3f(albedo[k], albedo[k + 1u], albedo[k + 2u]);
  c = mix(c, 0.9 * hair.rgb, scalp * hair.w);
  c = mix(c, 0.75 * hair.rgb + 0.02, clamp(1.25 * brow, 0.0, 0.95));
  c = mix(c, 0.8 * hair.rgb + 0.1 * mean.rgb, clamp(beard * mean.w, 0.0, 0.95));
  return mix(c, clothes.rgb, collar);
}

// white, iris with a dark rim, pupil: by the angle from where the eye looks
fn eye(head: u32, right: bool, p: vec3f) -> vec3f {
  let k = 12u * head + select(8u, 10u, right);
  let x = dot(normalize(p - looks[k].xyz), looks[k + 1u].xyz);
  let iris = looks[12u * head + 7u].rgb;
  if (x > 0.97589745) { return vec3f(0.02); }              // cos 0.22
  if (x > 0.90475166) { return iris; }                     // cos 0.44
  if (x > 0.87758256) { return 0.5 * iris; }               // cos 0.50
  return vec3f(0.86, 0.85, 0.84);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let v = id.x;
  let head = id.y;
  if (v >= params.vertices) { return; }
  let p = place(head, v);
  let n = normal(head, v, p);
  let s = 6u * v;
  let material = u32(surface[s]);
  let values = vec3f(surface[s + 3u], surface[s + 4u], surface[s + 5u]);
  var c = values;
  if (material == 0u) { c = skin(head, v, values.x, values.y, values.z); }
  if (material == 2u) { c = 0.7 * looks[12u * head + 5u].rgb; }
  if (material == 3u || material == 4u) { c = eye(head, material == 4u, p); }
  if (material == 5u) { c = looks[12u * head + 6u].rgb; }
  let depth = 0.85 * clamp((p.z - params.throat) / params.mouth, 0.25, 1.0);
  let openness = select(surface[s + 2u], depth, surface[s + 2u] < 0.0);

  let light = looks[12u * head];
  let half = looks[12u * head + 1u];
  let wrap = max(0.0, (dot(n, light.xyz) + 0.3) / 1.3);
  let key = looks[12u * head + 2u].rgb;
  let fill = looks[12u * head + 3u].rgb;
  let lit = light.w * (0.72 + 0.28 * n.y) * fill + half.w * wrap * key;
  let shine = 0.07 * surface[s + 1u] * pow(max(0.0, dot(n, half.xyz)), 22.0);
  let colour = clamp(c * lit * openness + shine * key, vec3f(0.0), vec3f(1.0));
  let out = 3u * (head * params.all + v);
  colours[out] = colour.r;
  colours[out + 1u] = colour.g;
  colours[out + 2u] = colour.b;
}
