/** Every operator. @module */
export * from "./elementwise.ts";
export * from "./cast.ts";
export * from "./movement.ts";
export * from "./reduce.ts";
export * from "./conv2d.ts";
export * from "./matmul.ts";
export * from "./bias_act.ts";
export * from "./triplane.ts";
export * from "./decode_triplane.ts";
export * from "./raymarch.ts";
export * from "./upfirdn2d.ts";
export * from "./interpolate.ts";
export * from "./norm.ts";
export * from "./pool.ts";
export * from "./raster.ts";
export * from "./marching_cubes.ts";
export * from "./mesh_components.ts";
