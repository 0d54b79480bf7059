import type { ParsedComponents, ParsedResult } from "chrono-node";
import { momentOf, offsetMs } from "../controls/zone";
import { between, type TimeRange } from "./range";

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const LENGTH =
  /^(?:the\s+)?(?:last|past|-)?\s*(\d{1,4}|an?|one)?\s*(s|sec|seconds?|m|min|minutes?|h|hrs?|hours?|d|days?|w|weeks?)$/i;

/**
 * The range that words mean: "last 2 hours" stays relative to now, "yesterday 9 to 10" is exact, in the chosen zone.
 *
 * @returns null for words that mean no time.
 */
export async function rangeFromWords(words: string, now: number): Promise<TimeRange | null> {
  return relative(words) ?? exact(words, now);
}

/** "15 min", "last 2 hours", "-1d": up to now. */
function relative(words: string): TimeRange | null {
  const found = LENGTH.exec(words.trim());
  if (!found || (found[1] === undefined && !/last|past/i.test(words))) return null;
  const count = Number(found[1] ?? 1) || 1;
  return { from: `-${count}${found[2]![0]!.toLowerCase()}`, to: null };
}

/** Other words are read by chrono, which is loaded when it is needed first. */
async function exact(words: string, now: number): Promise<TimeRange | null> {
  const since = /^since\s+/i.test(words);
  const { parse } = await import("chrono-node/en");
  const reference = { instant: new Date(now), timezone: offsetMs(now) / 60_000 };
  const [found] = parse(words.replace(/^since\s+/i, ""), reference, { forwardDate: false });
  if (!found) return null;
  const from = momentIn(found.start, reference);
  if (since) return from < now ? { from: new Date(from).toISOString(), to: null } : null;
  return rangeOf(found, from, found.end ? momentIn(found.end, reference) : null, now);
}

/** When the words mean, with the zone's clock of that day: it can differ from the one of today, which chrono knows. */
function momentIn(found: ParsedComponents, { timezone }: { timezone: number }): number {
  const at = found.date().getTime();
  return found.isCertain("timezoneOffset") ? at : momentOf(at + timezone * MINUTE_MS);
}

function rangeOf(found: ParsedResult, from: number, end: number | null, now: number): TimeRange | null {
  const hasHour = found.start.isCertain("hour");
  if (!found.end || end === null) {
    if (!hasHour) return between(dayStart(from, 0), dayStart(from, 1));
    return from < now ? { from: new Date(from).toISOString(), to: null } : null;
  }
  const start = hasHour ? from : dayStart(from, 0);
  const last = found.end.isCertain("hour") ? end : dayStart(end, 1);
  return last > start ? between(start, last) : null;
}

/** Midnight in the chosen zone: of the day of `at`, or `later` days after it. */
function dayStart(at: number, later: number): number {
  const day = Math.floor((at + offsetMs(at)) / DAY_MS) + later;
  return momentOf(day * DAY_MS);
}
