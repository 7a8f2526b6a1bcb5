/**
 * ONNX Runtime Web, by its WebGPU execution provider. It has no gradients.
 *
 * @module
 */
import * as ort from "onnxruntime-web/webgpu";
import { type Numbers, numbersOf, type Problem } from "../problem.ts";
import { onnxModel } from "./onnx_model.ts";
import { graphOf, type Plan } from "./ort_graphs.ts";
import type { Peer, Trial } from "./peer.ts";

/** ONNX Runtime; its WebAssembly is loaded with the first model. */
export function openOrt(): Promise<Peer> {
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "fatal";
  const version = `onnxruntime-web ${ort.env.versions.web}`;
  return Promise.resolve({ name: "ort", version, prepare });
}

async function prepare(problem: Problem): Promise<Trial | null> {
  const found = graphOf(problem, numbersOf(problem));
  if (!found) return null;
  const shapes = Object.entries(found.inputs).map((
    [name, { shape }],
  ) => [name, shape]);
  const model = onnxModel({
    ...found.graph,
    inputs: Object.fromEntries(shapes),
  });
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ["webgpu"],
    preferredOutputLocation: "gpu-buffer",
    // without this, operators that the device lacks would run elsewhere
    extra: { session: { disable_cpu_ep_fallback: "1" } },
  });
  return await trial(session, found);
}

async function trial(
  session: ort.InferenceSession,
  { inputs, graph }: Plan,
): Promise<Trial> {
  const device = await ort.env.webgpu.device as GPUDevice;
  const entries = Object.entries(inputs).map(([name, numbers]) =>
    [name, upload(device, numbers)] as const
  );
  const feeds = Object.fromEntries(
    entries.map(([name, u]) => [name, u.tensor]),
  );
  const results: ort.InferenceSession.ReturnType[] = [];
  const release = () => {
    for (const result of results.splice(0)) {
      for (const t of Object.values(result)) t.dispose();
    }
  };
  return {
    run: async () => void results.push(await session.run(feeds)),
    async finish() {
      await device.queue.onSubmittedWorkDone();
      release();
    },
    async read() {
      const result = await session.run(feeds);
      results.push(result);
      const data = await result[Object.keys(graph.outputs)[0]].getData();
      release();
      return new Float32Array(data as Float32Array);
    },
    dispose() {
      for (const [, { buffer }] of entries) buffer.destroy();
      void session.release();
    },
  };
}

function upload(
  device: GPUDevice,
  { data, shape }: Numbers,
): { buffer: GPUBuffer; tensor: ort.Tensor } {
  const buffer = device.createBuffer({
    size: Math.ceil(data.byteLength / 16) * 16,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST |
      GPUBufferUsage.COPY_SRC,
  });
  device.queue.writeBuffer(buffer, 0, data);
  const tensor = ort.Tensor.fromGpuBuffer(buffer, {
    dataType: "float32",
    dims: [...shape],
  });
  return { buffer, tensor };
}
