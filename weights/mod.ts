/**
 * Weights: file formats, where known files are found, and the embedded default generator.
 * Everything leaves this folder as plain numbers and data; nothing here knows of the GPU.
 * @module
 */
export * from "./errors.ts";
export * from "./tensor.ts";
export * from "./checkpoint.ts";
export * from "./contents.ts";
export * from "./convert.ts";
export * from "./formats/eg3d_pickle.ts";
export * from "./formats/safetensors.ts";
export * from "./formats/tfjs_graph.ts";
export * from "./formats/tfjs_layers.ts";
export * from "./graph/graph.ts";
export * from "./graph/lower_tf.ts";
export * from "./graph/fuse.ts";
export * from "./files/atomic.ts";
export * from "./files/catalogue.ts";
export * from "./files/expected_content.ts";
export * from "./files/find.ts";
export * from "./files/known_models.ts";
export * from "./files/npm_package.ts";
export * from "./files/recognise.ts";
export * from "./files/tuning_cache.ts";
export * from "./generator/config.ts";
export * from "./generator/eg3d.ts";
export * from "./generator/read.ts";
export * from "./generator/weights.ts";
export * from "./mannequin/mod.ts";
