/**
 * Feature networks for perceptual distance that come inside npm packages.
 *
 * @module
 */
import type { Device } from "../../engine/mod.ts";
import { FaceDescriber } from "../face/description.ts";
import type { FeatureNetwork } from "./perceptual.ts";

/** Maps of the description network, a MobileNet trained on faces, from edges to parts. */
const FACERES_MAPS = [1, 3, 5, 9].map((k) => `conv_pw_${k}_relu/clip_by_value`);

/** The face description network as a feature network; it lives as long as the open scope. */
export async function loadFaceFeatures(
  device: Device,
): Promise<FeatureNetwork> {
  const describer = await FaceDescriber.load(device, FACERES_MAPS);
  return {
    name: "faceres",
    features: (pictures) => describer.features(pictures, FACERES_MAPS),
  };
}
