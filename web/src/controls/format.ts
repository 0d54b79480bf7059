const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"] as const;
const numbers = new Intl.NumberFormat();

export function count(value: number): string {
  return numbers.format(value);
}

/** "1 row", "2 rows". */
export function counted(value: number, one: string, many: string = `${one}s`): string {
  return `${numbers.format(value)} ${value === 1 ? one : many}`;
}

/** Decimal units, as prices have them: 1.5 GB is 1,500,000,000 bytes. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.5 ? 0 : value >= 9.95 ? 1 : 2;
  return `${new Intl.NumberFormat(undefined, { maximumFractionDigits: digits }).format(value)} ${UNITS[unit]}`;
}

/** An amount in the currency of an ISO code such as "usd". */
export function money(cents: number, currency: string): string {
  return new Intl.NumberFormat(undefined, { style: "currency", currency: currency.toUpperCase() }).format(cents / 100);
}

/** A UTC day such as "2026-11-23", in the person's language. */
export function dayText(day: string, style: "short" | "medium" = "medium"): string {
  const options: Intl.DateTimeFormatOptions =
    style === "short" ? { day: "numeric", month: "short" } : { dateStyle: "medium" };
  return new Intl.DateTimeFormat(undefined, { ...options, timeZone: "UTC" }).format(new Date(`${day}T00:00:00Z`));
}
