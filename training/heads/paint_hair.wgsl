// colours[h, body + v] = 1.25 hair (ambient (0.72 + 0.28 n_y) tint_a + key w(n . l) tint_k)
//   (1 + 0.3 max(0, n . half)^10),   w(x) = max(0, (x + 0.5) / 1.5)
//
// normals: (vertices, 3).  looks: (heads, 12, 4), see look.ts.
// colours: (heads, body + vertices, 3).
// Dispatch: one invocation per vertex in x, heads in y.
struct Params { vertices: u32, body: u32 }
@group(0) @binding(0) var<storage, read> normals: array<f32>;
@group(0) @binding(1) var<storage, read> looks: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> colours: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let v = id.x;
  let head = id.y;
  if (v >= params.vertices) { return; }
  let n = vec3f(normals[3u * v], normals[3u * v + 1u], normals[3u * v + 2u]);
  let light = looks[12u * head];
  let half = looks[12u * head + 1u];
  let wrap = max(0.0, (dot(n, light.xyz) + 0.5) / 1.5);
  let lit = light.w * (0.72 + 0.28 * n.y) * looks[12u * head + 3u].rgb
    + half.w * wrap * looks[12u * head + 2u].rgb;
  let shine = 1.0 + 0.3 * pow(max(0.0, dot(n, half.xyz)), 10.0);
  let colour = 1.25 * looks[12u * head + 4u].rgb * lit * shine;
  let out = 3u * (head * (params.body + params.vertices) + params.body + v);
  colours[out] = colour.r;
  colours[out + 1u] = colour.g;
  colours[out + 2u] = colour.b;
}
