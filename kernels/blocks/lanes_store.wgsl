// Stores `rows` of the sums through `put(at, v)`: a lane's four numbers at `to`,
// each row `pitch` behind the one before.  64 stores written out would take half
// a second to compile: `rows` comes from a parameter, so that the driver cannot
// unroll the loop.
var all = array<vec4f, 16>(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15);
for (var i = 0u; i < rows; i++) {
  let v = all[i];
  put(to.x, v.x);
  put(to.y, v.y);
  put(to.z, v.z);
  put(to.w, v.w);
  to += vec4u(pitch);
}
