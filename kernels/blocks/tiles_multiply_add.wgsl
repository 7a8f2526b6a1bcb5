// sums += left[k] right[k], over the DEPTH k that are staged
//
// `left` and `right` in workgroup memory, quads of rows and of columns;
// invocation (tx, ty) has the rows from MICRO ty on, and quads tx and
// tx + LANES / 8 of the columns.
for (var k = 0u; k < DEPTH; k++) {
  let r = left[k * LEFT_PITCH + MICRO / 4u * ty];
  let u = right[k * RIGHT_PITCH + tx];
  c0a += r.x * u;
  c1a += r.y * u;
  c2a += r.z * u;
  c3a += r.w * u;
  if (MICRO == 8u) {
    let s = left[k * LEFT_PITCH + 2u * ty + 1u];
    let v = right[k * RIGHT_PITCH + tx + LANES / 8u];
    c0b += r.x * v;
    c1b += r.y * v;
    c2b += r.z * v;
    c3b += r.w * v;
    c4a += s.x * u; c4b += s.x * v;
    c5a += s.y * u; c5b += s.y * v;
    c6a += s.z * u; c6b += s.z * v;
    c7a += s.w * u; c7b += s.w * v;
  }
}
