// Text shared by winograd_input, winograd_output and winograd_gradient (put behind
// each by winograd.ts).

// a / b by reciprocal: a CPU has no vector division of integers
fn divide(a: u32, b: u32, inverse: f32) -> u32 {
  var q = u32(f32(a) * inverse);
  q = select(q, q - 1u, q * b > a);
  return select(q, q + 1u, a - q * b >= b);
}
