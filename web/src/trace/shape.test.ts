import { describe, expect, it } from "vitest";
import type { LogEvent } from "../search/event";
import { durationText, eventsOf, orderedSpans, placeOf, sinceMs, type Span, type Trace } from "./shape";

const span = (id: string, start: string, duration_ms: number): Span => ({
  span_id: id,
  service: "web",
  start: `2026-11-23T10:00:00.${start}Z`,
  end: "2026-11-23T10:00:00.250000000Z",
  duration_ms,
  events: 1,
  level: "info",
});
const TRACE: Trace = {
  trace_id: "t",
  from: "2026-11-23T10:00:00.000000000Z",
  to: "2026-11-23T10:00:00.250000000Z",
  duration_ms: 250,
  services: ["web"],
  spans: [span("c", "200000000", 0), span("b", "000000000", 50), span("a", "000000000", 250)],
  events: [],
  truncated: false,
};

describe("a trace", () => {
  it("has its spans in order, the longer of two that began together first", () => {
    expect(orderedSpans(TRACE).map((each) => each.span_id)).toEqual(["a", "b", "c"]);
  });

  it("places each span inside of its length", () => {
    expect(placeOf(TRACE.spans[1]!, TRACE)).toEqual({ left: 0, width: 0.2 });
    expect(placeOf(TRACE.spans[0]!, TRACE)).toEqual({ left: 0.8, width: 0.002 });
    expect(placeOf(TRACE.spans[0]!, { ...TRACE, duration_ms: 0 }).left).toBe(1);
  });

  it("knows nanoseconds", () => {
    expect(sinceMs("2026-11-23T10:00:00.000000001Z", "2026-11-23T10:00:01Z")).toBeCloseTo(999.999999, 6);
  });

  it("shows the events of the span that is chosen", () => {
    const events = [
      { span_id: "a", service: "web" },
      { span_id: "a", service: "db" },
    ] as LogEvent[];
    expect(eventsOf(TRACE.spans[2]!, events)).toEqual([events[0]]);
    expect(eventsOf(null, events)).toBe(events);
  });

  it.each([
    [0.25, "250 µs"],
    [12.34, "12.3 ms"],
    [1500, "1.5 s"],
  ])("writes %d ms as %s", (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });
});
