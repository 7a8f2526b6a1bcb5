
// Behind the decoder kernels for subgroups of 8 lanes: products of four points
// a lane with 8 numbers that one gather fetched, one per lane.  `count` is how
// many of the 8 count; it is known when the kernel is compiled.

alias Wide = array<vec4f, 8u * max(C8, O8)>;

// sum over k of number k of s times v[at + k]
fn dot8(v: ptr<function, Wide>, at: u32, count: u32, s: f32) -> vec4f {
  var sum = subgroupBroadcast(s, 0u) * (*v)[at];
  if (count > 1u) { sum += subgroupBroadcast(s, 1u) * (*v)[at + 1u]; }
  if (count > 2u) { sum += subgroupBroadcast(s, 2u) * (*v)[at + 2u]; }
  if (count > 3u) { sum += subgroupBroadcast(s, 3u) * (*v)[at + 3u]; }
  if (count > 4u) { sum += subgroupBroadcast(s, 4u) * (*v)[at + 4u]; }
  if (count > 5u) { sum += subgroupBroadcast(s, 5u) * (*v)[at + 5u]; }
  if (count > 6u) { sum += subgroupBroadcast(s, 6u) * (*v)[at + 6u]; }
  if (count > 7u) { sum += subgroupBroadcast(s, 7u) * (*v)[at + 7u]; }
  return sum;
}

// v[at + k] += number k of s times u
fn add8(v: ptr<function, Wide>, at: u32, count: u32, s: f32, u: vec4f) {
  (*v)[at] += subgroupBroadcast(s, 0u) * u;
  if (count > 1u) { (*v)[at + 1u] += subgroupBroadcast(s, 1u) * u; }
  if (count > 2u) { (*v)[at + 2u] += subgroupBroadcast(s, 2u) * u; }
  if (count > 3u) { (*v)[at + 3u] += subgroupBroadcast(s, 3u) * u; }
  if (count > 4u) { (*v)[at + 4u] += subgroupBroadcast(s, 4u) * u; }
  if (count > 5u) { (*v)[at + 5u] += subgroupBroadcast(s, 5u) * u; }
  if (count > 6u) { (*v)[at + 6u] += subgroupBroadcast(s, 6u) * u; }
  if (count > 7u) { (*v)[at + 7u] += subgroupBroadcast(s, 7u) * u; }
}
