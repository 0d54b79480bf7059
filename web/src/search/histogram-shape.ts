import { momentOf, offsetMs } from "../controls/zone";
import type { Histogram } from "./api";
import { LEVELS } from "./event";

/** One colour of the chart: `name` as it is shown, `value` of the field, null for the sum of all others. */
export interface Layer {
  name: string;
  value: string | null;
  counts: number[];
  isRest: boolean;
}

/** The series from the bottom of a bar to its top: levels by severity, others by size, the rest last. */
export function layersOf(histogram: Histogram, byLevel: boolean): Layer[] {
  const rank = (name: string | null) => LEVELS.indexOf((name ?? "") as (typeof LEVELS)[number]);
  const series = byLevel ? [...histogram.series].sort((a, b) => rank(b.value) - rank(a.value)) : histogram.series;
  const layers = series.map(({ value, counts }): Layer => {
    const name = value === null ? "without it" : value === "" ? '""' : value;
    return { name, value, counts, isRest: false };
  });
  const rest = histogram.other;
  if (rest?.some((count) => count > 0)) layers.push({ name: "others", value: null, counts: rest, isRest: true });
  return layers;
}

/** The number of events of each bucket. */
export function totals(layers: readonly Layer[], buckets: number): number[] {
  return Array.from({ length: buckets }, (_, at) => layers.reduce((sum, layer) => sum + (layer.counts[at] ?? 0), 0));
}

/** An SVG path with one bar a bucket, in a space of `buckets` x 1 whose y points down. */
export function barPath(counts: readonly number[], below: readonly number[], most: number): string {
  const round = (value: number) => Math.round(value * 10_000) / 10_000;
  return counts
    .map((count, at) => {
      if (count === 0) return "";
      const [bottom, height] = [1 - below[at]! / most, count / most];
      return `M${at + 0.08} ${round(bottom)}h.84V${round(bottom - height)}h-.84z`;
    })
    .join("");
}

/** An SVG path of steps, for the counts of the range before. */
export function stepPath(counts: readonly number[], buckets: number, most: number): string {
  return counts
    .slice(0, buckets)
    .map((count, at) => `${at === 0 ? "M" : "L"}${at} ${1 - count / most}H${at + 1}`)
    .join("");
}

/** The times in milliseconds from the start of bucket `first` to the end of bucket `last`, inside the range. */
export function bucketRange(histogram: Histogram, first: number, last: number): [number, number] {
  const [a, b] = first <= last ? [first, last] : [last, first];
  const [from, to] = [Date.parse(histogram.from), Date.parse(histogram.to)];
  const start = Date.parse(histogram.starts[a]!);
  const end = b + 1 < histogram.starts.length ? Date.parse(histogram.starts[b + 1]!) : to;
  return [Math.max(start, from), Math.min(end, to)];
}

/** The change from `before` to `now`: "+12 %", "-50 %", "new", "the same". */
export function changeText(now: number, before: number): string {
  if (now === before) return "the same";
  if (before === 0) return "new";
  const percent = ((now - before) / before) * 100;
  const digits = Math.abs(percent) < 10 ? 1 : 0;
  return `${percent > 0 ? "+" : "−"}${Math.abs(percent).toLocaleString(undefined, { maximumFractionDigits: digits })} %`;
}

const [SECOND, MINUTE, HOUR, DAY] = [1000, 60_000, 3_600_000, 86_400_000] as const;
const STEPS: readonly number[] = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR),
  ...[1, 2, 4, 7, 14, 28, 91, 364].map((count) => count * DAY),
];
const MOST_TICKS = 7;
/** A label that begins further right has no room. */
const LAST_PLACE = 0.95;

/** A mark of the time axis: where it is, from 0 to 1, and what it says. */
export interface Tick {
  at: number;
  place: number;
  label: string;
}

/** Round times of the chosen zone's clock, few enough for their labels; midnight has the day. */
export function ticksOf(histogram: Histogram): Tick[] {
  const starts = histogram.starts.map((start) => Date.parse(start));
  const from = starts[0]!;
  const end = Math.max(Date.parse(histogram.to), starts.at(-1)! + ((starts[1] ?? from) - from));
  const step = STEPS.find((each) => (end - from) / each <= MOST_TICKS) ?? STEPS.at(-1)!;
  const ticks: Tick[] = [];
  const first = Math.ceil((from + offsetMs(from)) / step) * step;
  for (let clock = first; ticks.length <= MOST_TICKS; clock += step) {
    const at = momentOf(clock);
    const place = placeOf(at, starts, end);
    if (place > LAST_PLACE) break;
    if (at >= from) ticks.push({ at, place, label: tickLabel(clock, step) });
  }
  return ticks;
}

/** All buckets are equally wide, also a day of 23 hours. */
function placeOf(at: number, starts: readonly number[], end: number): number {
  const next = starts.findIndex((start) => start > at);
  const bucket = (next < 0 ? starts.length : next) - 1;
  const [start, stop] = [starts[bucket]!, starts[bucket + 1] ?? end];
  return (bucket + (stop > start ? (at - start) / (stop - start) : 0)) / starts.length;
}

function tickLabel(clock: number, step: number): string {
  const text = new Date(clock).toISOString();
  if (clock % DAY === 0) return text.slice(5, 10);
  return step < MINUTE ? text.slice(11, 19) : text.slice(11, 16);
}
