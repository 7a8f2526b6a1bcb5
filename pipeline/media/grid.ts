/**
 * Contact sheets.
 *
 * @module
 */
import type { Picture } from "./picture.ts";

/**
 * Lays pictures of one size out in rows; what a short row lacks is black.
 *
 * @param rows from top to bottom, each from left to right; at least one picture
 */
export function gridOf(rows: readonly (readonly Picture[])[]): Picture {
  const filled = rows.filter((row) => row.length > 0);
  const { width, height } = filled[0][0];
  const columns = Math.max(...filled.map((row) => row.length));
  const data = new Uint8Array(filled.length * height * columns * width * 3);
  filled.forEach((row, r) =>
    row.forEach((picture, c) => {
      for (let y = 0; y < height; y++) {
        const line = picture.data.subarray(y * width * 3, (y + 1) * width * 3);
        data.set(line, ((r * height + y) * columns + c) * width * 3);
      }
    })
  );
  return { width: columns * width, height: filled.length * height, data };
}
