/**
 * The pipeline: from a portrait and a performance to an animation. {@linkcode runAnimate} does all
 * of it; the stages below are the same ones by themselves, as functions from value to value, so
 * that a program can run, save or replace any of them.
 *
 * ```ts
 * import { defaultAnimateOptions, runAnimate, silentContext } from "@pantomime/pantomime/pipeline";
 *
 * const options = { ...defaultAnimateOptions(), source: "me.jpg", out: "result" };
 * const report = await runAnimate(options, silentContext());
 * console.log(report.quality);
 * ```
 *
 * Everything that reads files needs `--allow-read`, and `runAnimate` `--allow-write` as well;
 * pictures go through sharp, which needs `--allow-ffi` and `--allow-env`. A video as the
 * performance needs `--allow-run=ffmpeg,ffprobe`.
 *
 * @module
 */

// the whole method
export { runAnimate } from "./animate.ts";
export {
  type AnimateOptions,
  BUNDLED_DRIVING,
  BUNDLED_SOURCE,
  defaultAnimateOptions,
  type Quality,
} from "./options.ts";
export {
  type Progress,
  type RunContext,
  silentContext,
  type Stage,
} from "./context.ts";
export { PantomimeError, UsageError } from "./errors.ts";
export { type Preset, presetOf } from "./presets.ts";
export { Report, type StageName } from "./report.ts";
export {
  type Expectation,
  measureQuality,
  psnr,
  type Quality as MeasuredQuality,
} from "./quality.ts";
export type { Fingerprint } from "./run_folder.ts";
export { type Avatar, loadAvatar, saveAvatar } from "./avatar.ts";
export { pictureOf, type Results, writeResults } from "./results.ts";

// stages A and B alone
export { runTransfer, type TransferResult } from "./transfer.ts";
export {
  defaultTransferOptions,
  type TransferOptions,
} from "./transfer_options.ts";

// pictures and animations
export {
  crop,
  type Picture,
  type PixelBox,
  readPicture,
  resize,
  writePicture,
} from "./media/picture.ts";
export { writeAnimations } from "./media/animation.ts";
export type { Excerpt } from "./media/timeline.ts";

// stage A: faces, crop and camera
export {
  type FaceNetworks,
  findFace,
  findFaces,
  type FoundFace,
  loadFaceNetworks,
} from "./face/find.ts";
export {
  type DetectedFace,
  type DetectOptions,
  FaceDetector,
} from "./face/detect.ts";
export { type FaceLandmarks, LandmarkFinder } from "./face/landmarks.ts";
export {
  FaceDescriber,
  type FaceDescription,
  identitySimilarity,
} from "./face/description.ts";
export { trackFace, type TrackOptions } from "./face/track.ts";
export { loadPortrait, type PortraitOptions } from "./face/portrait.ts";
export {
  alignAs,
  cameraAs,
  cameraAt,
  type Framing,
  framingOf,
  placementUnder,
  publishedCamera,
} from "./face/framing.ts";
export {
  fitWeakPerspective,
  type FivePoints,
  fivePoints,
  GAN_RESCALE,
  ganCrop,
  POSE_RESCALE,
  poseCrop,
  publishedCrop,
  publishedPlacement,
  REFERENCE_POINTS,
  type ScaledCrop,
  type WeakPerspective,
} from "./face/pos.ts";
export {
  cameraFromNumbers,
  formatCameras,
  type NamedCameras,
  parseCameras,
  readCameras,
  writeCameras,
} from "./face/cameras_json.ts";
export { type AlignedPortrait, alignPortrait, pasteCrop } from "./face/crop.ts";
export {
  type CameraFit,
  fitCamera,
  type FitOptions,
  type Placement,
} from "./face/pose.ts";
export {
  type Cam2World,
  type CameraAngles,
  cameraAngles,
  cameraFromAngles,
  cameraLabel,
  frontalCamera,
  interpolateCameras,
  lookAtCamera,
  project as projectPoint,
} from "./face/camera.ts";
export type { Vec3 } from "./face/linear.ts";
export type { Point, Region } from "./face/region.ts";
export { Network, type NetworkOptions } from "./face/network.ts";

// stage B: expression transfer
export {
  type ExpressionTargets,
  expressionTargets,
  SUPERSAMPLING,
} from "./transfer/targets.ts";
export type { DeformOptions } from "./transfer/facemesh/deform.ts";
export { faceMeshTransfer } from "./transfer/facemesh/frames.ts";
export {
  maskedFace,
  type Transfer,
  type TransferredFrame,
} from "./transfer/transferred.ts";
export {
  filledFrame,
  type FrameMasks,
  frameMasks,
  targetsOf,
} from "./transfer/targets_of.ts";
export { openPreprocessed } from "./transfer/preprocessed/read.ts";
export {
  type FrameFormat,
  writePreprocessed,
} from "./transfer/preprocessed/write.ts";
export {
  type FrameCameras,
  readSourcePose,
  readTargetPoses,
} from "./transfer/preprocessed/poses.ts";
export {
  type Expression,
  EXPRESSION_NAMES,
  type ExpressionName,
  parseExpression,
} from "./reenactment/expression_control.ts";
export {
  addExpression,
  heldExpression,
} from "./reenactment/expression_motion.ts";

// the generator
export {
  copyGenerator,
  type Generator,
  loadGenerator,
  releaseGenerator,
  tunable,
} from "./generator/state.ts";
export { mapping, type MappingOptions } from "./generator/mapping.ts";
export { planes } from "./generator/backbone.ts";
export type { NoiseMode, SynthesisOptions } from "./generator/synthesis.ts";
export {
  type GeneratorOptions,
  synthesis,
  type SynthesisOutput,
  view,
  type ViewOptions,
} from "./generator/generator.ts";
export {
  type PointSamples,
  type RayNoise,
  render,
  type Rendering,
  type RenderOptions,
  samplePoints,
} from "./generator/renderer/renderer.ts";
export { type Precision, superresolve } from "./generator/superresolution.ts";
export {
  Painter,
  type Painting,
  type PrecisionWish,
} from "./generator/painter.ts";
export { sphereCamera } from "./generator/cameras.ts";
export { RandomState } from "./generator/random_state.ts";
export {
  defaultGenerateOptions,
  type GenerateOptions,
  type GenerateReport,
  runGenerate,
} from "./generate.ts";

// meshes and maps of heads
export {
  headMesh,
  MANNEQUIN_BACK,
  type MeshOptions,
} from "./generator/mesh.ts";
export {
  depthPicture,
  type DepthPictureOptions,
  normalPicture,
} from "./generator/maps.ts";
export { type ColouredMesh, meshEncoder, writeMesh } from "./media/mesh.ts";
export { encodeGlb } from "./media/glb.ts";
export { encodePly } from "./media/ply.ts";

// stages C and D: inversion
export type { OptimiserCheckpoint } from "./inversion/checkpoint.ts";
export {
  project,
  type Projection,
  type ProjectionCheckpoint,
  type ProjectionHooks,
  type ProjectionSettings,
} from "./inversion/project.ts";
export {
  type Pivot,
  tune,
  type TuningHooks,
  type TuningSettings,
} from "./inversion/tune.ts";
export {
  inpaintMouth,
  type InpaintSettings,
  PUBLISHED_INPAINTING,
} from "./inversion/inpaint.ts";
export type { FrameTarget } from "./inversion/targets.ts";
export {
  type FeatureNetwork,
  meanSquaredError,
  perceptualDistance,
  unitFeatures,
} from "./losses/perceptual.ts";
export { loadFaceFeatures } from "./losses/networks.ts";

// published networks, by their state dicts
export { loadLpips, Lpips, type LpipsNet } from "./losses/lpips/lpips.ts";
export {
  ArcFace,
  ARCFACE_SIDE,
  identityCosine,
  loadArcFace,
} from "./losses/arcface.ts";
export { Inception, loadInception } from "./losses/inception.ts";
export {
  DECA_CODE,
  DECA_CODE_LENGTH,
  DECA_SIDE,
  DecaEncoder,
  type DecaPart,
  decaParts,
  loadDecaEncoder,
} from "./transfer/deca/encoder.ts";
export {
  DETAIL_LATENT,
  DetailDecoder,
  loadDetailDecoder,
} from "./transfer/deca/detail.ts";
export {
  Flame,
  type FlameOptions,
  type FlameTensors,
  fullPose,
  loadFlame,
} from "./transfer/deca/flame.ts";
export {
  contourRow,
  FlameLandmarks,
  loadFlameLandmarks,
} from "./transfer/deca/landmarks.ts";
export {
  type DecaFrameOptions,
  type DecaOptions,
  DecaStage,
} from "./transfer/deca/stage.ts";
export {
  type DecaFiles,
  type DecaModel,
  loadDeca,
} from "./transfer/deca/model.ts";
export {
  type DecaSource,
  decaSource,
  decaTransfer,
  type DecaTransferOptions,
} from "./transfer/deca/frames.ts";
export {
  type DecaCodes,
  encodeFace,
  type FlameExpression,
  smoothExpressions,
} from "./transfer/deca/codes.ts";
export { type DecaCrop, decaCrop } from "./transfer/deca/crop.ts";
export type { FaceMask, MapMask, VertexMask } from "./transfer/deca/mask.ts";
export type { HeadTopology } from "./transfer/deca/topology.ts";
export {
  NetworkState,
  type StateDict,
  type StoredParameter,
} from "./networks/network_state.ts";

// stage E: reenactment
export {
  drivingCamera,
  type DrivingCameraOptions,
  type FaceShape,
  type Motion,
  type MotionFrame,
  recordMotion,
} from "./reenactment/motion.ts";
export {
  formatMotion,
  parseMotion,
  readMotion,
  writeMotion,
} from "./reenactment/motion_file.ts";
export {
  type FrameWatcher,
  type LoadedPerformance,
  loadPerformance,
  type PerformanceOptions,
} from "./reenactment/performance.ts";
export { type OneEuroOptions, smoothMotion } from "./reenactment/smoothing.ts";
export {
  type FrameOptions,
  type Performance,
  renderFrames,
} from "./reenactment/render.ts";
export { composite, liftMask, projectMask } from "./reenactment/composite.ts";
export { blendLatents } from "./reenactment/blend.ts";
