import { describe, expect, it } from "vitest";
import type { Histogram } from "./api";
import { barPath, bucketRange, changeText, layersOf, stepPath, totals } from "./histogram-shape";

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
