/**
 * The table that the conformance command prints, and its count.
 *
 * @module
 */

/** A line of the table. */
export interface Row {
  /** Kernel, or golden file. */
  name: string;
  /** Tiles that it ran with. */
  profile: string;
  /** Comparisons. */
  cases: number;
  /** Comparisons that failed. */
  failed: number;
  /** The error that comes closest to its tolerance, or exceeds it most. */
  worst: number;
  /** Tolerance of `worst`. */
  tolerance: number;
  /** Workgroups of the largest launch; 0 for golden files. */
  workgroups: number;
}

/** One comparison. */
export interface Comparison {
  /** What was compared. */
  label: string;
  /** Its largest error. */
  error: number;
  /** How large that may be. */
  tolerance: number;
  /** What is wrong, in words; null when nothing is. */
  failure: string | null;
}

/** Everything that was found. */
export interface Report {
  /** The adapter's description. */
  adapter: string;
  /** The table. */
  rows: Row[];
  /** What failed, a line each. */
  failures: string[];
  /** What was left out, a line each. */
  skipped: string[];
  /** Comparisons that passed. */
  passed: number;
  /** Comparisons that failed. */
  failed: number;
  /** Seconds that it took. */
  seconds: number;
}

/** A report of nothing yet. */
export function newReport(): Report {
  return {
    adapter: "",
    rows: [],
    failures: [],
    skipped: [],
    passed: 0,
    failed: 0,
    seconds: 0,
  };
}

/** A line without comparisons. */
export function newRow(name: string, profile: string): Row {
  return {
    name,
    profile,
    cases: 0,
    failed: 0,
    worst: 0,
    tolerance: 1,
    workgroups: 0,
  };
}

/** Counts a comparison in the report and in each of the rows that it is about. */
export function count(
  report: Report,
  { label, error, tolerance, failure }: Comparison,
  rows: readonly Row[],
): void {
  if (failure === null) report.passed++;
  else {
    report.failed++;
    report.failures.push(`${label}: ${failure}`);
  }
  for (const row of rows) {
    row.cases++;
    if (failure !== null) row.failed++;
    if (error * row.tolerance < row.worst * tolerance) continue;
    row.worst = error;
    row.tolerance = tolerance;
  }
}

/** The report as text that ends with its count. */
export function reportText(report: Report): string {
  const cells = [
    [
      "kernel",
      "profile",
      "cases",
      "failed",
      "worst",
      "tolerance",
      "workgroups",
    ],
    ...report.rows.map(cellsOf),
  ];
  const widths = cells[0].map((_, k) =>
    Math.max(...cells.map((line) => line[k].length))
  );
  const table = cells.map((line) =>
    line.map((cell, k) =>
      k < 2 ? cell.padEnd(widths[k]) : cell.padStart(widths[k])
    ).join("  ").trimEnd()
  );
  return [
    ...table,
    ...report.skipped.map((line) => `skipped ${line}`),
    ...report.failures.map((line) => `FAILED ${line}`),
    `${Math.round(report.seconds)} s on ${report.adapter}`,
    `${report.passed} passed, ${report.failed} failed`,
  ].join("\n");
}

function cellsOf(row: Row): string[] {
  const { name, profile, cases, failed, worst, tolerance, workgroups } = row;
  if (cases === 0) return [name, profile, "no case", "", "", "", ""];
  return [
    name,
    profile,
    `${cases}`,
    `${failed}`,
    worst.toExponential(1),
    tolerance.toExponential(1),
    workgroups > 0 ? workgroups.toLocaleString("en") : "",
  ];
}
