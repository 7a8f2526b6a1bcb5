/**
 * What random graphs are made of.
 *
 * @module
 */
import { BINARY, UNARY } from "./random_elementwise.ts";
import type { Maker } from "./random_graph.ts";
import { LAYERS } from "./random_layers.ts";
import { MOVEMENT } from "./random_movement.ts";

/** Every operator, layers twice as often. */
export const OPERATIONS: readonly Maker[] = [
  ...UNARY,
  ...BINARY,
  ...MOVEMENT,
  ...LAYERS,
  ...LAYERS,
];
