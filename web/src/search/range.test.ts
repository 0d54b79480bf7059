import { describe, expect, it } from "vitest";
import { lengthMs, lineTime, relativeMs, resolved, wider } from "./range";

const NOW = Date.parse("2026-11-30T12:00:00Z");

describe("a range", () => {
  it("relative to now is resolved when it is searched", () => {
    expect(resolved({ from: "-1h", to: null }, NOW)).toEqual({ from: "2026-11-30T11:00:00.000Z" });
    expect(resolved({ from: "-2d", to: "-1d" }, NOW)).toEqual({
      from: "2026-11-28T12:00:00.000Z",
      to: "2026-11-29T12:00:00.000Z",
    });
  });

  it("keeps times that are given, and takes the default for what is no time", () => {
    const given = { from: "2026-11-01T00:00:00Z", to: "2026-11-02T00:00:00Z" };
    expect(resolved(given, NOW)).toEqual({ from: "2026-11-01T00:00:00.000Z", to: "2026-11-02T00:00:00.000Z" });
    expect(lengthMs(given, NOW)).toBe(86_400_000);
    expect(resolved({ from: "<script>", to: null }, NOW)).toEqual({ from: "2026-11-30T11:00:00.000Z" });
  });

  it("is widened by the presets, to the widest", () => {
    expect(wider({ from: "-1h", to: null }, NOW)).toEqual({ from: "-6h", to: null });
    expect(wider({ from: "-30d", to: null }, NOW)).toBeNull();
  });

  it("knows its units", () => {
    expect([relativeMs("-30s"), relativeMs("-2w"), relativeMs("1h"), relativeMs("-1y")]).toEqual([
      30_000,
      1_209_600_000,
      null,
      null,
    ]);
  });
});

it("shows an event's time with milliseconds, whatever digits it has", () => {
  expect(lineTime("2026-11-30T12:00:00.123456789Z", false)).toMatch(/^\d\d:\d\d:\d\d\.123$/);
  expect(lineTime("2026-11-30T12:00:00Z", true)).toMatch(/^11-\d\d \d\d:\d\d:\d\d\.000$/);
});
