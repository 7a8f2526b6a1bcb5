/** Opens a device inside a worker and answers with what it computed. */
/// <reference lib="webworker" />
import { openDevice, sum } from "../../engine/mod.ts";

self.onmessage = async (event: MessageEvent<number[]>): Promise<void> => {
  using device = await openDevice();
  const numbers = device.tensor(event.data, [event.data.length]);
  self.postMessage(await sum(numbers).item());
};
