import { parse } from "lossless-json";
import { call } from "../api/client";
import { zone } from "../controls/zone";
import type { FormattedQuery } from "../api/schema";
import type { LogEvent } from "./event";
import { rangeBefore, resolved, type TimeRange } from "./range";

export interface Stats {
  rows_read: number;
  elapsed_ms: number;
}

export interface SearchPage {
  events: LogEvent[];
  next_cursor: string | null;
  stats: Stats;
}

/** Which events: the part of a body that the routes of a search share. */
export interface Filter {
  query?: string;
  from: string;
  to: string;
}

export type SearchBody = Filter & { limit: number };

export const PAGE_SIZE = 200;

/** The filter of a search; its pages and its histogram have the same times, however long they are read. */
export function filterOf(query: string, range: TimeRange, now: number): Filter {
  const { from, to } = resolved(range, now);
  return { ...(query === "" ? {} : { query }), from, to: to ?? new Date(now).toISOString() };
}

export function searchBody(query: string, range: TimeRange, now: number): SearchBody {
  return { ...filterOf(query, range, now), limit: PAGE_SIZE };
}

export async function searchEvents(body: SearchBody, cursor: string | null, signal: AbortSignal): Promise<SearchPage> {
  const page = await call<SearchPage>("POST", "/v1/search", {
    body: cursor === null ? body : { ...body, cursor },
    signal,
    parse,
  });
  return { ...page, stats: statsOf(page.stats) };
}

export interface ContextPage {
  before: LogEvent[];
  event: LogEvent;
  after: LogEvent[];
  more_before: boolean;
  more_after: boolean;
}

export const SCOPES = { service: "Service", stream: "Stream", all: "All" } as const;
export type Scope = keyof typeof SCOPES;

/** The events next to one, in ascending order. */
export async function eventContext(id: string, scope: Scope, each: number, signal: AbortSignal): Promise<ContextPage> {
  const query = { scope, before: each, after: each };
  return call<ContextPage>("GET", `/v1/events/${encodeURIComponent(id)}/context`, { query, signal, parse });
}

export async function eventById(id: string, signal: AbortSignal): Promise<LogEvent> {
  const page = await call<{ event: LogEvent }>("GET", `/v1/events/${encodeURIComponent(id)}`, { signal, parse });
  return page.event;
}

/** How many events each interval has, for each value of a field; days begin in the chosen zone. */
export interface Histogram {
  interval: string;
  from: string;
  to: string;
  starts: string[];
  series: { value: string | null; counts: number[] }[];
  other: number[] | null;
  total: number;
  stats: Stats;
}

export async function readHistogram(filter: Filter, splitBy: string, signal: AbortSignal): Promise<Histogram> {
  return call<Histogram>("POST", "/v1/histogram", {
    body: { ...filter, split_by: splitBy, time_zone: zone.value },
    signal,
  });
}

export interface FieldEntry {
  name: string;
  types: string[];
  share: number;
  distinct: number;
  top: { value: unknown; count: number }[];
}

export interface Fields {
  fields: FieldEntry[];
  /** Whether there are more fields. */
  truncated: boolean;
  rows: number;
  sampled_rows: number;
}

/** The fields of the events with their most frequent values, whose numbers keep every digit. */
export async function readFields(filter: Filter, signal: AbortSignal): Promise<Fields> {
  const found = await call<Fields>("POST", "/v1/fields", { body: filter, signal, parse });
  return {
    truncated: found.truncated,
    rows: Number(found.rows),
    sampled_rows: Number(found.sampled_rows),
    fields: found.fields.map((field) => ({
      ...field,
      share: Number(field.share),
      distinct: Number(field.distinct),
      top: field.top.map(({ value, count }) => ({ value, count: Number(count) })),
    })),
  };
}

export interface Pattern {
  template: string;
  count: number;
  share: number;
  /** A filter that finds its messages; null without one. */
  query: string | null;
  examples: LogEvent[];
  before: number | null;
  change: "new" | "gone" | "risen" | "fallen" | "same" | null;
}

export interface Patterns {
  patterns: Pattern[];
  rows: number;
  sampled_rows: number;
}

const MOST_PATTERNS = 50;

/** The templates of messages; with `compare`, beside those of the range directly before. */
export async function readPatterns(filter: Filter, compare: boolean, signal: AbortSignal): Promise<Patterns> {
  const before = rangeBefore(filter.from, filter.to);
  const compared = compare ? { compare_from: before.from, compare_to: before.to } : {};
  const body = { ...filter, ...compared, limit: MOST_PATTERNS };
  const page = await call<Patterns>("POST", "/v1/patterns", { body, signal, parse });
  return {
    rows: Number(page.rows),
    sampled_rows: Number(page.sampled_rows),
    patterns: page.patterns.map((pattern) => ({
      ...pattern,
      count: Number(pattern.count),
      share: Number(pattern.share),
      before: pattern.before === null ? null : Number(pattern.before),
    })),
  };
}

/** What a query with pipes makes of the events. */
export interface Table {
  columns: { name: string; type: "text" | "number" | "time" }[];
  rows: (string | number | null)[][];
  truncated: boolean;
  stats: Stats;
}

export async function readTable(filter: Filter, signal: AbortSignal): Promise<Table> {
  return call<Table>("POST", "/v1/stats", { body: filter, signal });
}

export interface Completion {
  label: string;
  insert: string;
  kind: "field" | "value" | "function" | "pipe" | "keyword";
  detail?: string;
  count?: number;
}

export interface Completions {
  /** In characters (code points) of the text. */
  replace: { start: number; end: number };
  completions: Completion[];
}

export async function completeQuery(query: string, position: number, signal: AbortSignal): Promise<Completions> {
  return call<Completions>("POST", "/v1/query/complete", { body: { query, position }, signal });
}

/** The same query as a person reads it. */
export async function formatQuery(query: string): Promise<string> {
  return (await call<FormattedQuery>("POST", "/v1/query/format", { body: { query } })).query;
}

function statsOf(stats: Stats): Stats {
  return { rows_read: Number(stats.rows_read), elapsed_ms: Number(stats.elapsed_ms) };
}
