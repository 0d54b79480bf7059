import { isLosslessNumber, stringify } from "lossless-json";

/** An event as a search returns it. Numbers of the metadata keep every digit. */
export interface LogEvent {
  id?: string;
  timestamp: string;
  received_at: string;
  level: Level;
  service: string;
  project_id: string;
  message: string;
  trace_id: string;
  span_id: string;
  metadata: Record<string, unknown>;
  message_cut?: boolean;
}

export const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"] as const;
export type Level = (typeof LEVELS)[number];

/** A field of an event, ready to be shown: `name` as a query has it. */
export interface ShownField {
  name: string;
  kind: "text" | "number" | "constant" | "list";
  text: string;
}

const COLUMNS = ["service", "project_id", "trace_id", "span_id"] as const;
export const MOST_FIELDS = 500;

/** The columns with a value, then the metadata by path, objects flattened: `@a.b`. */
export function fieldsOf(event: LogEvent): ShownField[] {
  const columns = COLUMNS.filter((name) => event[name] !== "").map((name): ShownField => ({
    name,
    kind: "text",
    text: event[name],
  }));
  return [...columns, ...metadataFields(event.metadata)].slice(0, MOST_FIELDS);
}

function metadataFields(metadata: Record<string, unknown>): ShownField[] {
  const found: ShownField[] = [];
  const pending: [string, unknown][] = Object.entries(metadata).reverse();
  while (pending.length > 0 && found.length < MOST_FIELDS) {
    const [path, value] = pending.pop()!;
    if (isObject(value) && Object.keys(value).length > 0) {
      for (const [key, inner] of Object.entries(value).reverse()) pending.push([`${path}.${key}`, inner]);
    } else {
      found.push({ name: `@${quotedName(path)}`, ...shownValue(value) });
    }
  }
  return found;
}

function shownValue(value: unknown): Pick<ShownField, "kind" | "text"> {
  if (typeof value === "string") return { kind: "text", text: value };
  if (isLosslessNumber(value)) return { kind: "number", text: value.toString() };
  if (typeof value === "boolean" || value === null) return { kind: "constant", text: String(value) };
  return { kind: "list", text: stringify(value) ?? "" };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isLosslessNumber(value);
}

function quotedName(path: string): string {
  return /^[\w$/#][\w.$/#@-]*$/.test(path) ? path : `\`${path.replaceAll("`", "``")}\``;
}

/** The event as JSON, digits as they were sent. */
export function jsonOf(event: LogEvent): string {
  return stringify(event, undefined, 2) ?? "";
}

/** A field's name as columns have it: `order` for `@order`, `@level` for the path that is named like a column. */
export function columnName(name: string): string {
  const bare = name.replace(/^@/, "");
  return [...COLUMNS, "level", "message", "timestamp", "received_at"].includes(bare) ? name : bare;
}
