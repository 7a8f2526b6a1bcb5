// c[r] += scalar of row r, r < ROWS, times v
//
// `v`: a lane's four numbers.  `scalars`: where this lane's rows, r and r + 8,
// have their scalar, which `scalar(at)` fetches.  A gather costs a CPU as much as six
// multiply-adds: one fetches a scalar of 8 rows, and broadcasts hand them to all.
let s = scalar(scalars.x);
c0 += subgroupBroadcast(s, 0u) * v;
if (ROWS > 1u) {
  c1 += subgroupBroadcast(s, 1u) * v;
  c2 += subgroupBroadcast(s, 2u) * v;
  c3 += subgroupBroadcast(s, 3u) * v;
}
if (ROWS > 4u) {
  c4 += subgroupBroadcast(s, 4u) * v;
  c5 += subgroupBroadcast(s, 5u) * v;
  c6 += subgroupBroadcast(s, 6u) * v;
  c7 += subgroupBroadcast(s, 7u) * v;
}
if (ROWS > 8u) {
  let t = scalar(scalars.y);
  c8 += subgroupBroadcast(t, 0u) * v;
  c9 += subgroupBroadcast(t, 1u) * v;
  c10 += subgroupBroadcast(t, 2u) * v;
  c11 += subgroupBroadcast(t, 3u) * v;
  if (ROWS > 12u) {
    c12 += subgroupBroadcast(t, 4u) * v;
    c13 += subgroupBroadcast(t, 5u) * v;
    c14 += subgroupBroadcast(t, 6u) * v;
    c15 += subgroupBroadcast(t, 7u) * v;
  }
}
