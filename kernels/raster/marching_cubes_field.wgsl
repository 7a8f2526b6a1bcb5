// Values of the grid: NaN is as empty as can be, infinities are finite.
fn value(x: u32, y: u32, z: u32) -> f32 {
  let v = values[(z * params.height + y) * params.width + x];
  // by its bits: some compilers fold v != v away
  let missing = (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
  return select(clamp(v, -1e30, 1e30), -1e30, missing);
}
