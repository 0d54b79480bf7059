import { afterEach, describe, expect, it } from "vitest";
import { browserZone, chooseZone, momentOf, offsetMs, offsetName, zoned } from "./zone";

const HOUR = 3_600_000;

afterEach(() => chooseZone(browserZone()));

describe("the chosen zone", () => {
  it.each([
    ["UTC", "2026-07-01T00:00:00Z", 0, "UTC"],
    ["Europe/Berlin", "2026-07-01T00:00:00Z", 2, "UTC+2"],
    ["Europe/Berlin", "2026-12-01T00:00:00Z", 1, "UTC+1"],
    ["America/St_Johns", "2026-12-01T00:00:00Z", -3.5, "UTC-3:30"],
    ["Asia/Kathmandu", "2026-12-01T00:00:00Z", 5.75, "UTC+5:45"],
  ])("%s at %s is %d hours ahead", (name, at, hours, text) => {
    chooseZone(name);
    expect(offsetMs(Date.parse(at))).toBe(hours * HOUR);
    expect(offsetName(Date.parse(at))).toBe(text);
  });

  it("changes with its clock, to the quarter of an hour", () => {
    chooseZone("Europe/Berlin");
    const change = Date.parse("2026-10-25T01:00:00Z");
    expect([offsetMs(change - 1), offsetMs(change)]).toEqual([2 * HOUR, HOUR]);
    expect(zoned(change).toISOString()).toBe("2026-10-25T02:00:00.000Z");
  });

  it("knows the moment of a time on its clock", () => {
    chooseZone("Europe/Berlin");
    expect(new Date(momentOf(Date.parse("2026-07-01T12:00:00Z"))).toISOString()).toBe("2026-07-01T10:00:00.000Z");
    expect(new Date(momentOf(Date.parse("2026-12-01T12:00:00Z"))).toISOString()).toBe("2026-12-01T11:00:00.000Z");
  });

  it("must exist", () => {
    expect(() => chooseZone("Mars/Olympus")).toThrow(RangeError);
  });
});
