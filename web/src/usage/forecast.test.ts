import { describe, expect, it } from "vitest";
import type { PlanTerms, UsagePeriod } from "../api/schema";
import { forecastBytes, GIGABYTE, periodDays, priceCents } from "./forecast";

const PERIOD: UsagePeriod = {
  start: "2026-11-01T10:00:00Z",
  end: "2026-12-01T10:00:00Z",
  bytes: 60 * GIGABYTE,
  included_bytes: 100 * GIGABYTE,
  soft_cap_bytes: null,
  hard_cap_bytes: null,
  estimate_cents: 2900,
  currency: "usd",
};

const TERMS: PlanTerms = {
  plan: "managed_15",
  title: "Managed, 15 days",
  retention_days: 15,
  included_gb: 100,
  currency: "usd",
  monthly_cents: 2900,
  cents_a_gb: 20,
};

describe("the days of a period", () => {
  const days = periodDays(
    PERIOD,
    [
      { day: "2026-11-01", rows: 2, bytes: 100 },
      { day: "2026-11-03", rows: 1, bytes: 50 },
    ],
    "2026-11-04",
  );

  it("are all there, from the first to the last", () => {
    expect(days).toHaveLength(31);
    expect([days[0]!.day, days.at(-1)!.day]).toEqual(["2026-11-01", "2026-12-01"]);
  });

  it("add up, and days to come have no total", () => {
    expect(days.slice(0, 5).map((each) => each.total)).toEqual([100, 100, 150, 150, null]);
  });
});

describe("the forecast", () => {
  it("continues what was sent until now", () => {
    expect(forecastBytes(PERIOD, Date.parse("2026-11-16T10:00:00Z"))).toBe(120 * GIGABYTE);
  });

  it("does not guess from a part of a day", () => {
    expect(forecastBytes(PERIOD, Date.parse("2026-11-02T09:00:00Z"))).toBeNull();
  });

  it("is what was sent once the period is over", () => {
    expect(forecastBytes(PERIOD, Date.parse("2027-01-01T00:00:00Z"))).toBe(60 * GIGABYTE);
  });
});

describe("the price", () => {
  it("is the plan's until its included volume is used up, and then by the gigabyte", () => {
    expect(priceCents(TERMS, 100 * GIGABYTE)).toBe(2900);
    expect(priceCents(TERMS, 110.5 * GIGABYTE)).toBe(3110);
  });
});
