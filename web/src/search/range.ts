import { counted } from "../controls/format";
import { offsetName, zone, zoned } from "../controls/zone";

/** A time range: `from` and `to` are relative to now (`-1h`) or RFC 3339; `to` is null for now. */
export interface TimeRange {
  from: string;
  to: string | null;
}

export const DEFAULT_RANGE: TimeRange = { from: "-1h", to: null };

export const PRESETS: readonly { from: string; name: string }[] = [
  { from: "-5m", name: "Last 5 minutes" },
  { from: "-15m", name: "Last 15 minutes" },
  { from: "-1h", name: "Last 1 hour" },
  { from: "-6h", name: "Last 6 hours" },
  { from: "-24h", name: "Last 24 hours" },
  { from: "-7d", name: "Last 7 days" },
  { from: "-30d", name: "Last 30 days" },
];

const RELATIVE = /^-(\d{1,4})([smhdw])$/;
const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 } as const;

/** The milliseconds of `-1h`; null for any other text. */
export function relativeMs(text: string): number | null {
  const found = RELATIVE.exec(text);
  return found ? Number(found[1]) * UNIT_MS[found[2] as keyof typeof UNIT_MS] : null;
}

/** The range at `now` as the API takes it; one that is malformed is the default. */
export function resolved(range: TimeRange, now: number): { from: string; to?: string } {
  const from = instant(range.from, now) ?? instant(DEFAULT_RANGE.from, now)!;
  const to = range.to === null ? null : instant(range.to, now);
  return to === null ? { from } : { from, to };
}

/** The length of the range in milliseconds. */
export function lengthMs(range: TimeRange, now: number): number {
  const { from, to } = resolved(range, now);
  return (to ? Date.parse(to) : now) - Date.parse(from);
}

/** The name of the range, with the time zone that its times have then: "Last 1 hour · UTC+1". */
export function rangeName(range: TimeRange, now: number): string {
  const relative = range.to === null ? relativeName(range.from) : null;
  if (relative) return `${relative} · ${offsetName(now)}`;
  const { from, to } = resolved(range, now);
  const [start, end] = [Date.parse(from), to ? Date.parse(to) : now];
  const [first, last] = [offsetName(start), offsetName(end)];
  const startText = dateTime(start) + (first === last ? "" : ` ${first}`);
  if (!to) return `Since ${startText} · ${last}`;
  if (first !== last) return `${startText} to ${dateTime(end)} ${last}`;
  return `${format(start, end).formatRange(start, end)} · ${last}`;
}

const UNIT_NAMES = { s: "second", m: "minute", h: "hour", d: "day", w: "week" } as const;

/** "Last 2 hours" for `-2h`; null for a time. */
function relativeName(from: string): string | null {
  const [, digits, unit] = RELATIVE.exec(from) ?? [];
  return digits && unit ? `Last ${counted(Number(digits), UNIT_NAMES[unit as keyof typeof UNIT_NAMES])}` : null;
}

/** The next wider preset than the range; null for the widest. */
export function wider(range: TimeRange, now: number): TimeRange | null {
  const length = lengthMs(range, now);
  const found = PRESETS.find((preset) => relativeMs(preset.from)! > length * 2);
  return found ? { from: found.from, to: null } : null;
}

function instant(text: string, now: number): string | null {
  const ms = relativeMs(text);
  const at = ms === null ? Date.parse(text) : now - ms;
  return Number.isFinite(at) ? new Date(at).toISOString() : null;
}

function dateTime(at: number): string {
  return format(at).format(at);
}

/** To the minute, and to the second where one of the times is not at a whole minute. */
function format(...times: number[]): Intl.DateTimeFormat {
  const timeStyle = times.every((at) => at % 60_000 === 0) ? "short" : "medium";
  return new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle, timeZone: zone.value });
}

/**
 * An event's time in the chosen zone: "02:01:09.105", with the day if `withDay`, which has its year if it is "full".
 *
 * @param timestamp RFC 3339 in UTC, with up to nine digits of a second.
 */
export function lineTime(timestamp: string, withDay: boolean | "full"): string {
  const at = zoned(Date.parse(`${timestamp.slice(0, 19)}Z`));
  const two = (number: number) => String(number).padStart(2, "0");
  const year = withDay === "full" ? `${at.getUTCFullYear()}-` : "";
  const day = withDay ? `${year}${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())} ` : "";
  const digits = (/\.(\d+)/.exec(timestamp)?.[1] ?? "").padEnd(3, "0").slice(0, 3);
  return `${day}${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}.${digits}`;
}

/** A range of exact times, in milliseconds. */
export function between(from: number, to: number): TimeRange {
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
}

/** The range of the same length directly before `from`. */
export function rangeBefore(from: string, to: string): { from: string; to: string } {
  const [start, end] = [Date.parse(from), Date.parse(to)];
  return { from: new Date(start - (end - start)).toISOString(), to: from };
}

const SPANS: readonly [string, number][] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000],
];

/** A length of time in at most two units: "1 h", "2 d 3 h", "90 ms". */
export function lengthName(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  let rest = ms;
  const parts: string[] = [];
  for (const [unit, size] of SPANS) {
    const count = Math.floor(rest / size);
    if (count > 0) parts.push(`${count} ${unit}`);
    rest -= count * size;
  }
  return parts.slice(0, 2).join(" ");
}
