// Stores the sums through `store(to, row, column, quad)`, with `row` and `column`
// the first of this invocation and `place(base, column)` where a quad's columns go.
let near = place(base, column);
store(near, row, column, c0a);
store(near, row + 1u, column, c1a);
store(near, row + 2u, column, c2a);
store(near, row + 3u, column, c3a);
if (MICRO == 8u) {
  let second = column + LANES / 2u;
  let far = place(base, second);
  store(far, row, second, c0b);
  store(far, row + 1u, second, c1b);
  store(far, row + 2u, second, c2b);
  store(far, row + 3u, second, c3b);
  store(near, row + 4u, column, c4a);
  store(far, row + 4u, second, c4b);
  store(near, row + 5u, column, c5a);
  store(far, row + 5u, second, c5b);
  store(near, row + 6u, column, c6a);
  store(far, row + 6u, second, c6b);
  store(near, row + 7u, column, c7a);
  store(far, row + 7u, second, c7b);
}
