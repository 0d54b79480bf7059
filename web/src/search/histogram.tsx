import { useRef, useState } from "preact/hooks";
import type { Histogram as Counts } from "./api";
import { LEVELS } from "./event";
import { barPath, bucketRange, changeText, layersOf, stepPath, ticksOf, totals, type Layer } from "./histogram-shape";
import { lineTime } from "./range";

const numbers = new Intl.NumberFormat();

export interface HistogramProps {
  counts: Counts | null;
  before: Counts | null;
  /** Whether the counts are those of the search before. */
  stale: boolean;
  problem: Error | null;
  onZoom(from: number, to: number): void;
}

/** Events over time, stacked by level. Drag to zoom; by keyboard, arrows choose buckets and Enter zooms. */
export function Histogram({ counts, before, stale, problem, onZoom }: HistogramProps) {
  if (problem || counts === null || counts.starts.length === 0) {
    return (
      <div class="histogram">
        <p class="faint">{problem && `The histogram could not be loaded: ${problem.message}`}</p>
      </div>
    );
  }
  return <Chart counts={counts} before={before} stale={stale} onZoom={onZoom} />;
}

interface Brush {
  first: number;
  last: number;
}

/** Buckets are numbers that mean nothing in other counts: a choice is dropped with the counts it was made of. */
interface Choice {
  counts: Counts | null;
  at: number | null;
  brush: Brush | null;
}

const NONE: Choice = { counts: null, at: null, brush: null };

function Chart({ counts, before, stale, onZoom }: Omit<HistogramProps, "counts" | "problem"> & { counts: Counts }) {
  const [choice, setChoice] = useState(NONE);
  const { at, brush } = choice.counts === counts ? choice : NONE;
  const dragging = useRef(false);
  /** Whether the bucket was chosen by a key: then the pointer, which may rest anywhere, leaves it. */
  const byKey = useRef(false);
  const chart = useRef<HTMLDivElement>(null);
  const layers = layersOf(counts, true);
  const buckets = counts.starts.length;
  const choose = (chosen: Partial<Choice>) => setChoice({ at, brush, ...chosen, counts });

  function bucketAt(event: PointerEvent): number {
    const box = chart.current!.getBoundingClientRect();
    return limited(Math.floor(((event.clientX - box.left) / box.width) * buckets), buckets);
  }

  function zoom({ first, last }: Brush): void {
    choose({ brush: null });
    onZoom(...bucketRange(counts, first, last));
  }

  function press(event: KeyboardEvent): void {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -buckets, End: buckets }[event.key];
    if (step !== undefined) {
      const next = limited((at ?? (step > 0 ? -1 : buckets)) + step, buckets);
      byKey.current = true;
      choose({ at: next, brush: event.shiftKey ? { first: brush?.first ?? at ?? next, last: next } : null });
    } else if (event.key === "Enter" && at !== null) zoom(brush ?? { first: at, last: at });
    else if (event.key === "Escape" && (at !== null || brush)) setChoice(NONE);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  return (
    <div class={stale ? "histogram stale" : "histogram"}>
      <div
        ref={chart}
        class="plot"
        role="group"
        tabIndex={0}
        aria-label={`Events over time, ${numbers.format(counts.total)} in ${buckets} intervals of ${counts.interval}. Arrow keys read the intervals, Shift extends, Enter zooms.`}
        onKeyDown={press}
        onBlur={() => choose({ at: null })}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          dragging.current = true;
          chart.current!.setPointerCapture(event.pointerId);
          choose({ brush: { first: bucketAt(event), last: bucketAt(event) } });
        }}
        onPointerMove={(event) => {
          const bucket = bucketAt(event);
          byKey.current = false;
          choose({ at: bucket, brush: dragging.current && brush ? { ...brush, last: bucket } : brush });
        }}
        onPointerUp={() => {
          if (dragging.current && brush) zoom(brush);
          dragging.current = false;
        }}
        onPointerCancel={() => {
          dragging.current = false;
          choose({ brush: null });
        }}
        onPointerLeave={() => !dragging.current && !byKey.current && choose({ at: null })}
      >
        <Bars layers={layers} buckets={buckets} before={before} />
        {brush && <Band kind="brush" {...brush} buckets={buckets} />}
        {at !== null && <Band kind="cursor" first={at} last={at} buckets={buckets} />}
        {at !== null && <Tip counts={counts} before={before} layers={layers} at={at} brush={brush} />}
      </div>
      <Axis counts={counts} />
    </div>
  );
}

function Bars({ layers, buckets, before }: { layers: Layer[]; buckets: number; before: Counts | null }) {
  const sums = totals(layers, buckets);
  const earlier = before ? totals(layersOf(before, true), before.starts.length) : [];
  const most = Math.max(1, ...sums, ...earlier);
  const below = new Array<number>(buckets).fill(0);
  return (
    <svg viewBox={`0 0 ${buckets} 1`} preserveAspectRatio="none" aria-hidden="true">
      {layers.map((layer) => {
        const path = barPath(layer.counts, below, most);
        layer.counts.forEach((count, at) => (below[at]! += count));
        return <path key={layer.name} class={`bar ${colourOf(layer)}`} d={path} />;
      })}
      {before && <path class="before" d={stepPath(earlier, buckets, most)} />}
    </svg>
  );
}

function colourOf({ value, isRest }: Layer): string {
  return !isRest && LEVELS.includes(value as (typeof LEVELS)[number]) ? value! : "rest";
}

function Band({ kind, first, last, buckets }: Brush & { kind: string; buckets: number }) {
  const [low, high] = [Math.min(first, last), Math.max(first, last) + 1];
  return <div class={kind} style={{ left: `${(low / buckets) * 100}%`, right: `${(1 - high / buckets) * 100}%` }} />;
}

/** The counts under the pointer, or of the chosen buckets; announced, for the keyboard. */
function Tip(props: { counts: Counts; before: Counts | null; layers: Layer[]; at: number; brush: Brush | null }) {
  const { counts, before, layers, at, brush } = props;
  const { first, last } = brush ?? { first: at, last: at };
  const [low, high] = [Math.min(first, last), Math.max(first, last)];
  const sumOf = (of: readonly number[]) => of.slice(low, high + 1).reduce((sum, count) => sum + count, 0);
  const [from, to] = bucketRange(counts, low, high);
  const shown = layers.map((layer) => ({ ...layer, sum: sumOf(layer.counts) })).filter(({ sum }) => sum > 0);
  const total = shown.reduce((sum, layer) => sum + layer.sum, 0);
  const earlier = before && sumOf(totals(layersOf(before, true), before.starts.length));
  const place = (at + 0.5) / counts.starts.length;
  return (
    <div
      class="tip"
      role="status"
      style={place > 0.5 ? { right: `${(1 - place) * 100}%` } : { left: `${place * 100}%` }}
    >
      <b>{intervalText(from, to, counts.interval)} </b>
      {[...shown].reverse().map((layer) => (
        <div key={layer.name}>
          <i class={`dot ${colourOf(layer)}`} />
          {layer.name} <span>{numbers.format(layer.sum)}</span>
        </div>
      ))}
      {shown.length !== 1 && (
        <div>
          <i class="dot" />
          all <span>{numbers.format(total)}</span>
        </div>
      )}
      {earlier !== null && (
        <div>
          <i class="dot steps" />
          before <span>{`${numbers.format(earlier)} (${changeText(total, earlier)})`}</span>
        </div>
      )}
    </div>
  );
}

function Axis({ counts }: { counts: Counts }) {
  return (
    <div class="axis" aria-hidden="true">
      {ticksOf(counts).map(({ at, place, label }) => (
        <span key={at} style={{ left: `${place * 100}%` }}>
          {label}
        </span>
      ))}
    </div>
  );
}

/** The interval in the chosen zone: with the day where it is long, to the second where it is short. */
function intervalText(from: number, to: number, interval: string): string {
  const text = (at: number) => {
    const time = lineTime(new Date(at).toISOString(), true);
    if (/[hd]$/.test(interval)) return time.slice(0, 11);
    return at % 1000 === 0 ? time.slice(6, 14) : time.slice(6);
  };
  return `${text(from)} to ${text(to)}`;
}

function limited(at: number, count: number): number {
  return Math.min(Math.max(at, 0), count - 1);
}
