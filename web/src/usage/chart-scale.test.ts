import { describe, expect, it } from "vitest";
import { chartLines, chartScale } from "./chart-scale";
import { GIGABYTE } from "./forecast";

describe("the scale of the chart", () => {
  it("shows a cap that the bars can reach", () => {
    const scale = chartScale(60 * GIGABYTE, chartLines(100 * GIGABYTE, null, 200));
    expect(scale.lines.map((each) => each.name)).toEqual(["Included", "Hard cap"]);
    expect(scale.top).toBeGreaterThan(200 * GIGABYTE);
  });

  it("names a cap that would flatten the bars instead of drawing it", () => {
    const scale = chartScale(2 * GIGABYTE, chartLines(null, 5, 200));
    expect(scale.lines.map((each) => each.name)).toEqual(["Soft cap"]);
    expect(scale.above.map((each) => each.name)).toEqual(["Hard cap"]);
    expect(scale.top).toBeLessThan(10 * GIGABYTE);
  });

  it("has ticks at round figures, also without any usage", () => {
    expect(chartScale(60, []).ticks).toEqual([50]);
    expect(chartScale(0, []).ticks.length).toBeGreaterThan(0);
  });
});
