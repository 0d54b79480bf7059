import type { PlanTerms, UsageOfDay, UsagePeriod } from "../api/schema";

export const GIGABYTE = 1_000_000_000;
const DAY_MS = 86_400_000;

/** One day of the period: its bytes and all bytes of the period until its end; null for days to come. */
export interface PeriodDay {
  day: string;
  rows: number;
  bytes: number;
  total: number | null;
}

/** Every day of the billing period until its end, days without logs included. */
export function periodDays(period: UsagePeriod, days: readonly UsageOfDay[], today: string): PeriodDay[] {
  const used = new Map(days.map((each) => [each.day, each]));
  const all: PeriodDay[] = [];
  let total = 0;
  for (let at = dayStart(period.start); at < Date.parse(period.end); at += DAY_MS) {
    const day = new Date(at).toISOString().slice(0, 10);
    const { rows = 0, bytes = 0 } = used.get(day) ?? {};
    total += bytes;
    all.push({ day, rows, bytes, total: day <= today ? total : null });
  }
  return all;
}

/**
 * Bytes at the end of the period if logs arrive as until now; null in the first day, which says too little.
 *
 * @param now Unix milliseconds
 */
export function forecastBytes(period: UsagePeriod, now: number): number | null {
  const start = Date.parse(period.start);
  const end = Date.parse(period.end);
  const passed = Math.min(now, end) - start;
  return passed < DAY_MS ? null : Math.round((period.bytes * (end - start)) / passed);
}

/** Cents that a plan costs for so many bytes in a period. */
export function priceCents(terms: PlanTerms, bytes: number): number {
  const beyond = Math.max(0, bytes / GIGABYTE - terms.included_gb);
  return terms.monthly_cents + Math.round(beyond * terms.cents_a_gb);
}

function dayStart(rfc3339: string): number {
  return Math.floor(Date.parse(rfc3339) / DAY_MS) * DAY_MS;
}
