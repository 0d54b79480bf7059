import { afterEach, describe, expect, it } from "vitest";
import { browserZone, chooseZone } from "../controls/zone";
import { lengthMs, lineTime, rangeName, relativeMs, resolved, wider } from "./range";

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

describe("the name of a range", () => {
  afterEach(() => chooseZone(browserZone()));

  it.each([
    ["-1h", null, "Last 1 hour · UTC+1"],
    ["-2d", null, "Last 2 days · UTC+1"],
    ["2026-07-01T08:00:00Z", "2026-07-01T09:30:00Z", "Jul 1, 2026, 10:00 – 11:30 AM · UTC+2"],
    ["2026-07-01T08:00:00Z", "2026-07-01T08:00:30Z", "Jul 1, 2026, 10:00:00 AM – 10:00:30 AM · UTC+2"],
    ["2026-10-24T10:00:00Z", "2026-10-26T11:00:00Z", "Oct 24, 2026, 12:00 PM UTC+2 to Oct 26, 2026, 12:00 PM UTC+1"],
    ["2026-11-29T17:00:00Z", null, "Since Nov 29, 2026, 6:00 PM · UTC+1"],
  ])("from %s to %s has the offset of its own times: %s", (from, to, name) => {
    chooseZone("Europe/Berlin");
    expect(rangeName({ from, to }, NOW).replaceAll(/[\u2009\u202f]/g, " ")).toBe(name);
  });
});

it("shows the year of an event where there is room for it", () => {
  expect(lineTime("2026-11-30T12:00:00.5Z", "full")).toMatch(/^2026-11-\d\d \d\d:\d\d:\d\d\.500$/);
});
