import { zone } from "./zone";

/** A time in the person's language and the chosen zone, to the minute. */
export function shortTime(rfc3339: string): string {
  const format = { dateStyle: "medium", timeStyle: "short", timeZone: zone.value } as const;
  return new Intl.DateTimeFormat(undefined, format).format(new Date(rfc3339));
}

const STEPS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

/** `seconds` ago, in words: "3 minutes ago". */
export function ago(seconds: number): string {
  const [unit, size] = STEPS.find(([, size]) => seconds >= size) ?? ["second", 1];
  return new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }).format(-Math.floor(seconds / size), unit);
}
