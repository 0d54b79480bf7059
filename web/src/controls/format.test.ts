import { describe, expect, it } from "vitest";
import { bytesText, counted, dayText, money } from "./format";

describe("figures", () => {
  it("names bytes in decimal units with three digits at most", () => {
    expect([0, 999, 1000, 1499, 27_825, 99_400, 999_499, 999_500, 1_234_000_000, 5e15].map(bytesText)).toEqual([
      "0 B",
      "999 B",
      "1 kB",
      "1.5 kB",
      "27.8 kB",
      "99.4 kB",
      "999 kB",
      "1 MB",
      "1.23 GB",
      "5 PB",
    ]);
  });

  it("counts in words", () => {
    expect([counted(0, "row"), counted(1, "row"), counted(1200, "row")]).toEqual(["0 rows", "1 row", "1,200 rows"]);
  });

  it("shows a UTC day as that day in every zone", () => {
    expect(dayText("2026-11-23")).toBe("Nov 23, 2026");
    expect(dayText("2026-11-01", "short")).toBe("Nov 1");
  });

  it("shows cents as an amount", () => {
    expect(money(3369, "usd")).toBe("$33.69");
  });
});
