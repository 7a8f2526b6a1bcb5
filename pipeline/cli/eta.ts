/**
 * How long a stage will still take.
 *
 * @module
 */

/** Only the last half minute counts: the first steps compile pipelines and say little of the rest. */
const WINDOW = 30_000;

/** Estimates from the pace of the last steps. All times are in milliseconds. */
export class Eta {
  readonly #total: number;
  #samples: { done: number; time: number }[];

  /**
   * Begins with nothing done.
   *
   * @param total steps
   * @param begun when the stage began
   */
  constructor(total: number, begun: number) {
    this.#total = total;
    this.#samples = [{ done: 0, time: begun }];
  }

  /** Notes how many steps are done by now. */
  report(done: number, time: number): void {
    this.#samples.push({ done, time });
    while (this.#samples.length > 2 && this.#samples[1].time < time - WINDOW) {
      this.#samples.shift();
    }
  }

  /** The time left; undefined until a step is done. */
  left(time: number): number | undefined {
    const [first, last] = [
      this.#samples[0],
      this.#samples[this.#samples.length - 1],
    ];
    if (last.done <= first.done) return undefined;
    const pace = (last.time - first.time) / (last.done - first.done);
    return Math.max(0, (this.#total - last.done) * pace - (time - last.time));
  }
}

/** Milliseconds as minutes and seconds (`4:07`) or hours (`1:04:07`). */
export function clock(time: number): string {
  const seconds = Math.round(time / 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  const [hours, minutes] = [
    Math.floor(seconds / 3600),
    Math.floor(seconds / 60) % 60,
  ];
  return hours > 0
    ? `${hours}:${two(minutes)}:${two(seconds % 60)}`
    : `${minutes}:${two(seconds % 60)}`;
}
