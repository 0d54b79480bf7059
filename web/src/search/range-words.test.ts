import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { browserZone, chooseZone } from "../controls/zone";
import { rangeFromWords } from "./range-words";

const NOW = Date.parse("2026-11-30T12:00:00Z");

beforeEach(() => chooseZone("Europe/Berlin"));
afterEach(() => chooseZone(browserZone()));

describe("words for a time", () => {
  it.each([
    ["last 2 hours", "-2h"],
    ["15 min", "-15m"],
    ["past day", "-1d"],
    ["-3w", "-3w"],
    ["the last 90 seconds", "-90s"],
  ])("%s stays relative: %s", async (words, from) => {
    expect(await rangeFromWords(words, NOW)).toEqual({ from, to: null });
  });

  it.each([
    ["yesterday", "2026-11-28T23:00:00.000Z", "2026-11-29T23:00:00.000Z"],
    ["yesterday 9 to 10", "2026-11-29T08:00:00.000Z", "2026-11-29T09:00:00.000Z"],
    ["nov 20 - nov 22", "2026-11-19T23:00:00.000Z", "2026-11-22T23:00:00.000Z"],
    ["oct 20 9:00 to 10:00", "2026-10-20T07:00:00.000Z", "2026-10-20T08:00:00.000Z"],
    ["oct 20", "2026-10-19T22:00:00.000Z", "2026-10-20T22:00:00.000Z"],
    ["oct 25", "2026-10-24T22:00:00.000Z", "2026-10-25T23:00:00.000Z"],
    ["oct 20 9:00 UTC to oct 20 10:00 UTC", "2026-10-20T09:00:00.000Z", "2026-10-20T10:00:00.000Z"],
    ["today 10:30", "2026-11-30T09:30:00.000Z", null],
    ["since yesterday 18:00", "2026-11-29T17:00:00.000Z", null],
  ])("%s is exact, in the chosen zone", async (words, from, to) => {
    expect(await rangeFromWords(words, NOW)).toEqual({ from, to });
  });

  it.each(["", "h", "declined", "since tomorrow"])("%j means none", async (words) => {
    expect(await rangeFromWords(words, NOW)).toBeNull();
  });
});
