import { afterEach, describe, expect, it } from "vitest";
import { browserZone, chooseZone } from "../controls/zone";
import type { Histogram } from "./api";
import { barPath, bucketRange, changeText, layersOf, stepPath, ticksOf, totals } from "./histogram-shape";

const HISTOGRAM: Histogram = {
  interval: "1m",
  from: "2026-11-30T10:00:30Z",
  to: "2026-11-30T10:02:30Z",
  starts: ["2026-11-30T10:00:00Z", "2026-11-30T10:01:00Z", "2026-11-30T10:02:00Z"],
  series: [
    { value: "info", counts: [5, 0, 1] },
    { value: "error", counts: [0, 2, 0] },
  ],
  other: [0, 0, 3],
  total: 11,
  stats: { rows_read: 1, elapsed_ms: 1 },
};

describe("a histogram", () => {
  it("stacks levels by severity from the bottom, and the rest on top", () => {
    const layers = layersOf(HISTOGRAM, true);
    expect(layers.map((layer) => layer.name)).toEqual(["error", "info", "others"]);
    expect(totals(layers, 3)).toEqual([5, 2, 4]);
  });

  it("has no layer for a rest without events", () => {
    expect(layersOf({ ...HISTOGRAM, other: [0, 0, 0] }, false).map((layer) => layer.name)).toEqual(["info", "error"]);
  });

  it("draws a bar for each bucket with events", () => {
    expect(barPath([5, 0, 1], [0, 2, 0], 5)).toBe("M0.08 1h.84V0h-.84zM2.08 1h.84V0.8h-.84z");
    expect(stepPath([1, 2, 9], 2, 4)).toBe("M0 0.75H1L1 0.5H2");
  });

  it("zooms to buckets, whichever way they are chosen, and never beyond the range", () => {
    const at = (text: string) => Date.parse(text);
    expect(bucketRange(HISTOGRAM, 0, 2)).toEqual([at(HISTOGRAM.from), at(HISTOGRAM.to)]);
    expect(bucketRange(HISTOGRAM, 1, 1)).toEqual([at("2026-11-30T10:01:00Z"), at("2026-11-30T10:02:00Z")]);
    expect(bucketRange(HISTOGRAM, 2, 1)).toEqual(bucketRange(HISTOGRAM, 1, 2));
  });
});

it.each([
  [10, 10, "the same"],
  [10, 0, "new"],
  [15, 10, "+50 %"],
  [0, 10, "−100 %"],
  [1012, 1000, "+1.2 %"],
])("%d after %d is %s", (now, before, text) => {
  expect(changeText(now, before)).toBe(text);
});

describe("the time axis", () => {
  afterEach(() => chooseZone(browserZone()));

  const histogram = (from: string, minutes: number, buckets: number): Histogram => {
    const starts = Array.from({ length: buckets }, (_, at) => Date.parse(from) + at * minutes * 60_000);
    const to = new Date(Date.parse(from) + buckets * minutes * 60_000).toISOString();
    return { ...HISTOGRAM, from, to, starts: starts.map((start) => new Date(start).toISOString()) };
  };
  const labels = (counts: Histogram) => ticksOf(counts).map(({ label }) => label);

  it("has round times of the chosen zone's clock", () => {
    chooseZone("Asia/Kathmandu"); // UTC+5:45
    expect(labels(histogram("2026-11-30T10:03:30Z", 0.5, 120))).toEqual([
      "15:50",
      "16:00",
      "16:10",
      "16:20",
      "16:30",
      "16:40",
    ]);
  });

  it("has the day at midnight, also on a day of 25 hours", () => {
    chooseZone("Europe/Berlin");
    const counts = histogram("2026-10-24T10:00:00Z", 60, 60);
    expect(labels(counts)).toEqual(["12:00", "10-25", "12:00", "10-26", "12:00"]);
    const [first, midnight, noon] = ticksOf(counts);
    expect([first!.place, midnight!.place * 60, noon!.place * 60]).toEqual([0, 12, 25]);
  });

  it("has seconds where it is short, and never more than there is room for", () => {
    chooseZone("UTC");
    expect(labels(histogram("2026-11-30T10:00:00Z", 1 / 60, 30))[1]).toBe("10:00:05");
    for (const buckets of [1, 2, 7, 61, 119]) {
      for (const minutes of [1 / 60, 0.5, 10, 180, 1440]) {
        const ticks = ticksOf(histogram("2026-11-30T10:00:00Z", minutes, buckets));
        expect(ticks.length).toBeLessThanOrEqual(8);
        expect(ticks.every(({ place }) => place >= 0 && place <= 0.95)).toBe(true);
      }
    }
  });
});
