/**
 * Triangle meshes drawn with a z-buffer. None of it has a gradient.
 *
 * @module
 */
import {
  rasterAttributes,
  rasterBin,
  rasterCover,
  rasterSetup,
  rasterTexture,
  TILE,
} from "../../kernels/raster/raster.ts";
import { type Device, linearWorkgroups } from "../device.ts";
import { ShapeError, TensorTooLargeError } from "../errors.ts";
import type { Tensor } from "../tensor.ts";

/** {@linkcode Raster.triangle} where a pixel shows no triangle. */
export const NO_TRIANGLE = 0xffffffff;

/** What each pixel shows. */
export interface Raster {
  /** (H, W), u32 words: index of the triangle, or {@linkcode NO_TRIANGLE}. */
  triangle: Tensor;
  /** (3, H, W): weights of the triangle's corners, 0 where there is none. */
  barycentric: Tensor;
}

/** Size of a picture in pixels. */
export interface RasterSize {
  /** Rows; at most 65,535. */
  height: number;
  /** Columns; at most 65,535. */
  width: number;
}

/**
 * Finds the nearest triangle at each pixel. Both sides of a triangle are seen.
 * A pixel whose centre lies on an edge belongs to one of the two triangles
 * that share it (top-left rule); of triangles at equal depth the lower index
 * wins; the result is always the same.
 *
 * @param vertices (V, 3): x and y in pixels (x right, y down, pixel centres at
 * + 0.5) and depth (smaller is nearer)
 * @param triangles (T, 3), u32 words: indices of vertices (`Device.writeWords`)
 * @throws {ShapeError} when the shapes are others, or the picture is empty
 * @throws {TensorTooLargeError} when a row of tiles of 8 x 8 pixels, with a bit
 * for each triangle, takes more than the adapter binds
 */
export function rasterise(
  vertices: Tensor,
  triangles: Tensor,
  { height, width }: RasterSize,
): Raster {
  const fits = vertices.shape.length === 2 && vertices.shape[1] === 3 &&
    triangles.shape.length === 2 && triangles.shape[1] === 3;
  if (!fits || height < 1 || width < 1 || height > 65535 || width > 65535) {
    throw new ShapeError(
      `A mesh of vertices [${vertices.shape}] and triangles [${triangles.shape}] cannot be drawn on ${width} x ${height} pixels: it takes (V, 3), (T, 3) and 1 to 65,535 pixels a side.`,
    );
  }
  const device = vertices.device, count = triangles.shape[0];
  using corners = device.empty([count, 9]);
  using bounds = device.empty([count, 2]);
  device.run(rasterSetup, {
    tensors: { vertices, triangles, corners, bounds },
    params: { triangles: count, height, width },
    workgroups: linearWorkgroups(count),
  });
  const triangle = device.empty([height, width]);
  const barycentric = device.empty([3, height, width]);
  drawBands(corners, bounds, { triangle, barycentric });
  return { triangle, barycentric };
}

/** Draws triangles in as few bands of the picture as have room for their bins. */
function drawBands(
  corners: Tensor,
  bounds: Tensor,
  { triangle, barycentric }: Raster,
): void {
  const device = corners.device, count = corners.shape[0];
  const [height, width] = triangle.shape;
  const across = Math.ceil(width / TILE), down = Math.ceil(height / TILE);
  const words = Math.ceil(count / 32), groups = Math.ceil(words / 32);
  const rows = Math.min(down, bandRows(device, count, across * words * 4));
  using bins = device.empty([rows * across, words]);
  using summary = device.empty([rows * across, groups]);
  for (let row = 0; row < down; row += rows) {
    const tiles = Math.min(rows, down - row) * across, n = tiles * groups;
    const band = { words, groups, across, top: row * TILE };
    device.run(rasterBin, {
      tensors: { bounds, bins, summary },
      params: { ...band, n, triangles: count },
      workgroups: linearWorkgroups(n),
    });
    device.run(rasterCover, {
      tensors: { corners, bins, summary, triangle, barycentric },
      params: { ...band, height, width, tiles },
      workgroups: linearWorkgroups(tiles, 1),
    });
  }
}

/** Rows of tiles whose bins the adapter can bind. */
function bandRows(device: Device, count: number, bytes: number): number {
  const rows = Math.floor(device.maxTensorBytes / bytes);
  if (rows >= 1) return rows;
  throw new TensorTooLargeError(
    `A row of tiles with a bit for each of ${count} triangles takes ${bytes} bytes and this adapter binds at most ${device.maxTensorBytes}: draw fewer triangles at a time, or a narrower picture.`,
  );
}

/**
 * Numbers of the vertices, carried over the triangles.
 *
 * @param attributes (V, C)
 * @param triangles what `raster` was made with
 * @returns (C, H, W), 0 where no triangle is
 * @throws {ShapeError} when attributes is not a matrix
 */
export function interpolateAttributes(
  attributes: Tensor,
  raster: Raster,
  triangles: Tensor,
): Tensor {
  return carry(attributes, raster, triangles, 0);
}

/**
 * Numbers of the triangles, one for all of their pixels.
 *
 * @param attributes (T, C)
 * @returns (C, H, W), 0 where no triangle is
 * @throws {ShapeError} when attributes is not a matrix
 */
export function flatAttributes(attributes: Tensor, raster: Raster): Tensor {
  return carry(attributes, raster, raster.triangle, 1);
}

function carry(
  values: Tensor,
  { triangle, barycentric }: Raster,
  triangles: Tensor,
  flat: 0 | 1,
): Tensor {
  if (values.shape.length !== 2) {
    throw new ShapeError(
      `Attributes of a mesh are a matrix with a row for each vertex or triangle, not [${values.shape}].`,
    );
  }
  const channels = values.shape[1];
  const y = values.device.empty([channels, ...triangle.shape]);
  values.device.run(rasterAttributes, {
    tensors: { values, triangles, triangle, barycentric, y },
    params: { pixels: triangle.size, channels },
    constants: { FLAT: flat },
    workgroups: linearWorkgroups(triangle.size),
  });
  return y;
}

/**
 * A picture drawn on the mesh: bilinear, edges repeated.
 *
 * @param image (C, h, w)
 * @param uvPixels (V, 2): where each vertex lies in the image, in pixels
 * @param triangles what `raster` was made with
 * @returns (C, H, W), 0 where no triangle is
 * @throws {ShapeError} when the shapes are others
 */
export function sampleTexture(
  image: Tensor,
  uvPixels: Tensor,
  { triangle, barycentric }: Raster,
  triangles: Tensor,
): Tensor {
  if (image.shape.length !== 3 || uvPixels.shape[1] !== 2) {
    throw new ShapeError(
      `A texture is (C, H, W) with positions (V, 2), not [${image.shape}] with [${uvPixels.shape}].`,
    );
  }
  const [channels, height, width] = image.shape;
  const y = image.device.empty([channels, ...triangle.shape]);
  image.device.run(rasterTexture, {
    tensors: { image, uv: uvPixels, triangles, triangle, barycentric, y },
    params: { pixels: triangle.size, channels, height, width },
    workgroups: linearWorkgroups(triangle.size),
  });
  return y;
}
