import { GIGABYTE } from "./forecast";

export interface ChartLine {
  kind: "included" | "soft" | "hard";
  name: string;
  bytes: number;
}

export interface Scale {
  /** Bytes at the upper edge. */
  top: number;
  lines: ChartLine[];
  /** Lines that are too high for the chart: bars would be too small to see. */
  above: ChartLine[];
  ticks: number[];
}

const HEADROOM = 1.15;
const FAR = 4;

/** The vertical scale for bars up to `highest` bytes, with the lines that fit. */
export function chartScale(highest: number, candidates: readonly ChartLine[]): Scale {
  const lines = candidates.filter((each) => each.bytes <= highest * FAR);
  const top = Math.max(1, HEADROOM * Math.max(highest, ...lines.map((each) => each.bytes)));
  const step = niceStep(top / 3);
  const ticks = [1, 2, 3, 4].map((each) => each * step).filter((each) => each <= top);
  return { top, lines, above: candidates.filter((each) => !lines.includes(each)), ticks };
}

/** Caps in gigabytes and the included bytes, as lines of the chart. */
export function chartLines(includedBytes: number | null, softGb: number | null, hardGb: number | null): ChartLine[] {
  const lines: ChartLine[] = [];
  if (includedBytes) lines.push({ kind: "included", name: "Included", bytes: includedBytes });
  if (softGb !== null) lines.push({ kind: "soft", name: "Soft cap", bytes: softGb * GIGABYTE });
  if (hardGb !== null) lines.push({ kind: "hard", name: "Hard cap", bytes: hardGb * GIGABYTE });
  return lines;
}

function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((each) => each * power).find((each) => each >= least)!;
}
