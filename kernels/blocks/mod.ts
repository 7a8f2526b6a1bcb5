/**
 * Statements that several kernels have in common, kept in one file each.
 *
 * WGSL has neither macros nor includes, and a function cannot hold the sums of
 * a tile in registers for its caller. A kernel names a block in a line of its
 * own, `// block: NAME`, and gets its text in that place; the block's header
 * says which names it expects there.
 *
 * @module
 */
import lanesMultiplyAdd from "./lanes_multiply_add.wgsl" with { type: "text" };
import lanesRegisters from "./lanes_registers.wgsl" with { type: "text" };
import lanesStore from "./lanes_store.wgsl" with { type: "text" };
import tilesMultiplyAdd from "./tiles_multiply_add.wgsl" with { type: "text" };
import tilesRegisters from "./tiles_registers.wgsl" with { type: "text" };
import tilesStore from "./tiles_store.wgsl" with { type: "text" };

const BLOCKS: Readonly<Record<string, string>> = {
  lanes_multiply_add: lanesMultiplyAdd,
  lanes_registers: lanesRegisters,
  lanes_store: lanesStore,
  tiles_multiply_add: tilesMultiplyAdd,
  tiles_registers: tilesRegisters,
  tiles_store: tilesStore,
};

const NAMED = /^( *)\/\/ block: (\w+)$/gm;

/**
 * A kernel's text with its blocks in their places, indented as their names were.
 *
 * @throws {Error} when there is no block of a name
 */
export function withBlocks(source: string): string {
  return source.replace(NAMED, (_line, indent: string, name: string) => {
    const block = BLOCKS[name];
    if (block === undefined) throw new Error(`There is no block "${name}".`);
    return block.trimEnd().replace(/^(?=.)/gm, indent);
  });
}
