/**
 * Ways to compute one operator. Most operators have several kernels, and those
 * several specialisations; which is fastest depends on shape and adapter.
 *
 * @module
 */

/** Sizes of the tile that a workgroup computes out of workgroup memory. */
export interface Tile {
  /** Rows: channels made, or rows of the left side. */
  readonly rows: number;
  /** Columns: pixels, or columns of the right side. */
  readonly lanes: number;
  /** Length of the inner axis that is staged at a time. */
  readonly depth: number;
}

/** A way to compute an operator: its kernels, and their specialisation. */
export interface Method {
  /**
   * `simple` kernels need nothing and are always right, `lanes` kernels need
   * subgroups of exactly 8, `tiles` kernels the fast workgroup memory of a GPU;
   * `winograd` and `depthwise` apply to some convolutions only.
   */
  readonly kernels: "simple" | "lanes" | "tiles" | "winograd" | "depthwise";
  /** Rows of a block, for `lanes`. */
  readonly rows?: number;
  /** Whether the sides of a product change places, for `lanes`. */
  readonly swapped?: boolean;
  /** The tile, for `tiles`. */
  readonly tile?: Tile;
}

/** The method that needs nothing and is always right. */
export const SIMPLE: Method = { kernels: "simple" };

/** Tiles that the kernels are written for; the first is the default. */
export const TILES: readonly [Tile, ...Tile[]] = [
  { rows: 64, lanes: 64, depth: 16 },
  { rows: 64, lanes: 64, depth: 8 },
  { rows: 128, lanes: 64, depth: 16 },
  { rows: 32, lanes: 32, depth: 16 },
];

/** A name that tells methods of one operator apart, for instance `tiles 64 x 64 x 16`. */
export function methodName({ kernels, rows, swapped, tile }: Method): string {
  const words: string[] = [kernels];
  if (tile) words.push(`${tile.rows} x ${tile.lanes} x ${tile.depth}`);
  if (rows) words.push(`of ${rows} rows`);
  if (swapped) words.push("swapped");
  return words.join(" ");
}

/** Values of a tile kernel's constants. */
export function tileConstants(tile: Tile): Record<string, number> {
  const { rows, lanes, depth } = tile;
  // small tiles keep 64 invocations busy with fewer numbers each
  return {
    ROWS: rows,
    LANES: lanes,
    DEPTH: depth,
    MICRO: Math.min(rows, lanes) < 64 ? 4 : 8,
  };
}

/** The methods of a kind of device for which every tile is a method of its own. */
export const TILE_METHODS: readonly Method[] = TILES.map((tile) => ({
  kernels: "tiles",
  tile,
}));
