import { signal } from "@preact/signals";

const STORED = "astralog.zone";
const QUARTER_MS = 900_000;
const KEPT_OFFSETS = 5000;

/** The zone in which times are shown: an IANA name. The browser's own until the person chooses one. */
export const zone = signal<string>(stored() ?? browserZone());

const offsets = new Map<number, number>();
let offsetsOf = "";
let clock: Intl.DateTimeFormat | null = null;

export function browserZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** @throws RangeError for a name that is no zone. */
export function chooseZone(name: string): void {
  Intl.DateTimeFormat(undefined, { timeZone: name });
  zone.value = name;
  try {
    localStorage.setItem(STORED, name);
  } catch {
    // A browser that stores nothing keeps the choice for this visit.
  }
}

/** The names to choose from: the browser's zone, UTC, then all others. */
export function zoneNames(): string[] {
  return [...new Set([browserZone(), "UTC", ...Intl.supportedValuesOf("timeZone")])];
}

/** Milliseconds that the chosen zone is ahead of UTC at `at`; zones change at quarters of an hour only. */
export function offsetMs(at: number): number {
  const quarter = Math.floor(at / QUARTER_MS);
  if (offsetsOf !== zone.value || offsets.size > KEPT_OFFSETS) {
    offsets.clear();
    offsetsOf = zone.value;
    clock = null;
  }
  const known = offsets.get(quarter);
  if (known !== undefined) return known;
  const found = readOffset(quarter * QUARTER_MS);
  offsets.set(quarter, found);
  return found;
}

/** A date whose UTC getters return the clock of the chosen zone. */
export function zoned(at: number): Date {
  return new Date(at + offsetMs(at));
}

/** The moment at which the clock of the chosen zone shows `clockMs`, which is written as if it were UTC. */
export function momentOf(clockMs: number): number {
  const near = clockMs - offsetMs(clockMs);
  return clockMs - offsetMs(near);
}

/** The offset as it is written beside times: "UTC", "UTC+1", "UTC-3:30". */
export function offsetName(at: number): string {
  const minutes = Math.round(offsetMs(at) / 60_000);
  if (minutes === 0) return "UTC";
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `UTC${minutes < 0 ? "-" : "+"}${hours}${rest ? `:${String(rest).padStart(2, "0")}` : ""}`;
}

function readOffset(at: number): number {
  clock ??= new Intl.DateTimeFormat("en-US", {
    timeZone: zone.value,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  const part = Object.fromEntries(clock.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const shown = Date.UTC(
    part["year"]!,
    part["month"]! - 1,
    part["day"]!,
    part["hour"]!,
    part["minute"]!,
    part["second"]!,
  );
  return shown - at;
}

function stored(): string | null {
  try {
    const name = localStorage.getItem(STORED);
    if (name !== null) Intl.DateTimeFormat(undefined, { timeZone: name });
    return name;
  } catch {
    return null;
  }
}
