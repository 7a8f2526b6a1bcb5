/**
 * Synthetic heads, drawn on the fly: what the default generator learns from.
 *
 * @module
 */
export {
  type DescribedHeads,
  type HeadBatch,
  type HeadStudio,
  type StudioFiles,
  type StudioOptions,
} from "./interface.ts";
export { openStudio } from "./studio.ts";
export {
  lessonHead,
  sampleCameras,
  sampleHeads,
  sampleOnSphere,
} from "./sample.ts";
