import type { LogEvent } from "../search/event";

/** The events of a trace in order, and its spans (docs/api.md#get-v1traces). */
export interface Trace {
  trace_id: string;
  from: string;
  to: string;
  duration_ms: number;
  services: string[];
  spans: Span[];
  events: LogEvent[];
  truncated: boolean;
}

export interface Span {
  span_id: string;
  service: string;
  start: string;
  end: string;
  duration_ms: number;
  events: number;
  level: string;
}

/** Where a span stands in the trace, as shares of its length. One without a length is as wide as a line. */
export function placeOf(span: Span, trace: Trace): { left: number; width: number } {
  const length = Math.max(trace.duration_ms, 0.001);
  const left = Math.min(Math.max(sinceMs(trace.from, span.start) / length, 0), 1);
  return { left, width: Math.min(Math.max(span.duration_ms / length, 0.002), Math.max(1 - left, 0.002)) };
}

/** Milliseconds between two RFC 3339 times, to the nanosecond. */
export function sinceMs(from: string, to: string): number {
  const rest = (text: string) => Number((/\.(\d+)/.exec(text)?.[1] ?? "").padEnd(9, "0").slice(0, 9));
  const seconds = (text: string) => Date.parse(`${text.slice(0, 19)}Z`);
  return seconds(to) - seconds(from) + (rest(to) - rest(from)) / 1e6;
}

/** The spans from the first to the last, those of a service that began together by their length. */
export function orderedSpans(trace: Trace): Span[] {
  return [...trace.spans].sort((a, b) => sinceMs(b.start, a.start) || b.duration_ms - a.duration_ms);
}

/** Which of the events belong to a span. */
export function eventsOf(span: Span | null, events: LogEvent[]): LogEvent[] {
  if (span === null) return events;
  return events.filter((event) => event.span_id === span.span_id && event.service === span.service);
}

export function durationText(ms: number): string {
  if (ms < 1) return `${(ms * 1000).toLocaleString(undefined, { maximumFractionDigits: 0 })} µs`;
  if (ms < 1000) return `${ms.toLocaleString(undefined, { maximumSignificantDigits: 3 })} ms`;
  return `${(ms / 1000).toLocaleString(undefined, { maximumFractionDigits: 2 })} s`;
}
