// Text shared by depthwise and depthwise_backward_weight (put behind each by
// depthwise.ts): pixels of x, zero outside.

// six neighbours of one line
struct Line { left: vec4f, right: vec2f }

fn line(plane: u32, at_y: i32, at_x: i32) -> Line {
  let ok_y = at_y >= 0 && at_y < i32(params.h);
  let l = vec4i(at_x, at_x + 1, at_x + 2, at_x + 3);
  let r = vec2i(at_x + 4, at_x + 5);
  let ok_l = (l >= vec4i(0)) & (l < vec4i(i32(params.w))) & vec4<bool>(ok_y);
  let ok_r = (r >= vec2i(0)) & (r < vec2i(i32(params.w))) & vec2<bool>(ok_y);
  let start = i32(plane * params.h * params.w) + at_y * i32(params.w);
  let a = select(vec4u(0u), vec4u(start + l), ok_l);
  let b = select(vec2u(0u), vec2u(start + r), ok_r);
  return Line(
    select(vec4f(0.0), vec4f(f32(x[a.x]), f32(x[a.y]), f32(x[a.z]), f32(x[a.w])), ok_l),
    select(vec2f(0.0), vec2f(f32(x[b.x]), f32(x[b.y])), ok_r)
  );
}
