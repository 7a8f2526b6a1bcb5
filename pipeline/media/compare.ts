/**
 * Pictures side by side.
 *
 * @module
 */
import { type Picture, resize } from "./picture.ts";

/**
 * Lays pictures in a row, scaled in proportion to one height.
 *
 * @param pictures from left to right, at least one
 * @param height pixels; the first picture's when left out
 */
export async function sideBySide(
  pictures: readonly Picture[],
  height: number = pictures[0].height,
): Promise<Picture> {
  const row = await Promise.all(pictures.map((picture) => {
    const width = Math.max(
      1,
      Math.round(picture.width * height / picture.height),
    );
    return resize(picture, width, height);
  }));
  const width = row.reduce((sum, picture) => sum + picture.width, 0);
  const data = new Uint8Array(width * height * 3);
  let left = 0;
  for (const picture of row) {
    paste(data, width, picture, left);
    left += picture.width;
  }
  return { width, height, data };
}

function paste(
  data: Uint8Array,
  width: number,
  picture: Picture,
  left: number,
): void {
  const length = picture.width * 3;
  for (let y = 0; y < picture.height; y++) {
    const row = picture.data.subarray(y * length, (y + 1) * length);
    data.set(row, (y * width + left) * 3);
  }
}
