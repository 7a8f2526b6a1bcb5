/**
 * Renders heads that nobody has: random latents through the bundled generator, each from several
 * sides, as one PNG.
 *
 *     deno run -A examples/render_heads.ts heads.png 4
 *
 * @module
 */
import { type Device, normals, openDevice } from "../engine/mod.ts";
import {
  cameraFromAngles,
  cameraLabel,
  type Generator,
  loadGenerator,
  mapping,
  type Picture,
  pictureOf,
  planes,
  view,
  writePicture,
} from "../pipeline/mod.ts";
import { loadMannequin } from "../weights/mod.ts";

/** Degrees to the side from which each head is seen. */
export const YAWS = [-30, -15, 0, 15, 30] as const;

/** One head from every side of {@linkcode YAWS}. */
export async function renderHead(
  device: Device,
  generator: Generator,
  seed: number,
): Promise<Picture[]> {
  // whatever is made from here on is released with the scope
  using _scope = device.scope();
  const { z_dim } = generator.config;
  const z = device.tensor(normals(seed, 0, z_dim), [1, z_dim]);
  const labels = YAWS.map((yaw) =>
    device.tensor(
      cameraLabel(cameraFromAngles({ yaw, pitch: 0, roll: 0 })),
      [1, 25],
    )
  );
  const w = mapping(generator, z, labels[0], { truncationPsi: 0.8 });
  // the planes are the head; every view is rendered from the same ones
  const head = planes(generator, w);
  const pictures = labels.map((label) =>
    view(generator, head, w, label, { sampleFactor: 2 }).image
  );
  return (await device.read(...pictures)).map(pictureOf);
}

/** Pictures of one size in rows of equal length. */
export function sheet(rows: readonly (readonly Picture[])[]): Picture {
  const { width: w, height: h } = rows[0][0];
  const width = w * rows[0].length, height = h * rows.length;
  const data = new Uint8ClampedArray(3 * width * height);
  rows.forEach((row, y) =>
    row.forEach((picture, x) => {
      for (let line = 0; line < h; line++) {
        const from = picture.data.subarray(3 * w * line, 3 * w * (line + 1));
        data.set(from, 3 * ((y * h + line) * width + x * w));
      }
    })
  );
  return { width, height, data };
}

if (import.meta.main) {
  const [path = "heads.png", count = "4"] = Deno.args;
  using device = await openDevice();
  const generator = loadGenerator(device, await loadMannequin());
  const rows: Picture[][] = [];
  for (let seed = 0; seed < Number(count); seed++) {
    rows.push(await renderHead(device, generator, seed));
  }
  await writePicture(path, sheet(rows));
  console.log(`${rows.length} heads in ${path}`);
}
