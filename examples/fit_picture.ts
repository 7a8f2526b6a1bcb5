/**
 * Fits a picture with the engine alone: a small network learns which colour is where, by reverse-mode
 * differentiation and Adam. Nothing here knows of faces.
 *
 *     deno run -A examples/fit_picture.ts me.jpg fitted.png
 *
 * The network is a coordinate MLP with Fourier features (Tancik et al. 2020):
 * colour = sigmoid(W3 relu(W2 relu(W1 [sin(B x), cos(B x)]))).
 *
 * @module
 */
import {
  Adam,
  affine,
  biasAct,
  concat,
  cos,
  type Device,
  gradients,
  matmul,
  mean,
  normals,
  openDevice,
  sigmoid,
  sin,
  square,
  subtract,
  type Tensor,
} from "../engine/mod.ts";
import {
  BUNDLED_SOURCE,
  crop,
  type Picture,
  readPicture,
  resize,
  writePicture,
} from "../pipeline/mod.ts";

/** How {@linkcode fitPicture} works. */
export interface FitOptions {
  /** Steps of Adam. */
  steps: number;
  /** Width of the hidden layers. */
  hidden?: number;
  /** Called now and then with the mean squared error. */
  onLoss?(step: number, loss: number): void;
}

/** A picture, learned. */
export async function fitPicture(
  device: Device,
  picture: Picture,
  { steps, hidden = 64, onLoss }: FitOptions,
): Promise<Picture> {
  using _scope = device.scope();
  const { width, height, data } = picture, pixels = width * height;
  const wanted = device.tensor(
    Float32Array.from(data, (v) => v / 255),
    [pixels, 3],
  );
  const inputs = fourierFeatures(device, width, height);

  // He's initialisation; track() marks what is to be learned
  const sizes = [inputs.shape[1], hidden, hidden, 3];
  const layers = sizes.slice(1).map((outputs, k) => ({
    weight: device.tensor(
      normals(1, k, sizes[k] * outputs).map((v) => v * Math.sqrt(2 / sizes[k])),
      [sizes[k], outputs],
    ).track(),
    bias: device.zeros([outputs]).track(),
  }));
  const network = () =>
    layers.reduce((x: Tensor, { weight, bias }, k) => {
      const last = k === layers.length - 1;
      const y = biasAct(matmul(x, weight), bias, {
        act: last ? "linear" : "relu",
      });
      return last ? sigmoid(y) : y;
    }, inputs);

  const parameters = layers.flatMap(({ weight, bias }) => [weight, bias]);
  using adam = new Adam(parameters, { rate: 0.01 });
  for (let step = 1; step <= steps; step++) {
    using _step = device.scope();
    const loss = mean(square(subtract(network(), wanted)));
    adam.step(gradients(loss, parameters));
    // reading back waits for the device: do it rarely
    if (step % 50 === 0 || step === steps) onLoss?.(step, await loss.item());
  }
  const colours = await device.withoutTape(network).data();
  return {
    width,
    height,
    data: Uint8ClampedArray.from(colours, (v) => 255 * v),
  };
}

/** [sin, cos] of 32 random waves at every pixel: (pixels, 64). */
function fourierFeatures(
  device: Device,
  width: number,
  height: number,
): Tensor {
  const places = Float32Array.from({ length: 2 * width * height }, (_, k) => {
    const pixel = k >> 1;
    return k % 2 === 0
      ? (pixel % width + 0.5) / width
      : (Math.floor(pixel / width) + 0.5) / height;
  });
  const x = device.tensor(places, [width * height, 2]);
  const waves = device.tensor(normals(0, 0, 64), [2, 32]);
  const phases = affine(matmul(x, waves), 2 * Math.PI * 3);
  return concat([sin(phases), cos(phases)], 1);
}

if (import.meta.main) {
  const [from = BUNDLED_SOURCE, to = "fitted.png"] = Deno.args;
  using device = await openDevice();
  const whole = await readPicture(from);
  const side = Math.min(whole.width, whole.height);
  const square = crop(whole, { left: 0, top: 0, width: side, height: side });
  const fitted = await fitPicture(device, await resize(square, 96, 96), {
    steps: 500,
    onLoss: (step, loss) => console.log(`step ${step}  ${loss.toFixed(5)}`),
  });
  await writePicture(to, fitted);
  console.log(`written to ${to}`);
}
