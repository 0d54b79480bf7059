import { parse } from "lossless-json";
import { call } from "../api/client";
import type { LogEvent } from "./event";
import { resolved, type TimeRange } from "./range";

export interface SearchPage {
  events: LogEvent[];
  next_cursor: string | null;
  stats: { rows_read: number; elapsed_ms: number };
}

export interface SearchBody {
  query?: string;
  from: string;
  to?: string;
  limit: number;
}

export const PAGE_SIZE = 200;

/** The body of a search; its pages have the same times, however long they are read. */
export function searchBody(query: string, range: TimeRange, now: number): SearchBody {
  const times = resolved(range, now);
  return { ...(query === "" ? {} : { query }), ...times, limit: PAGE_SIZE };
}

export async function searchEvents(body: SearchBody, cursor: string | null, signal: AbortSignal): Promise<SearchPage> {
  const page = await call<SearchPage>("POST", "/v1/search", {
    body: cursor === null ? body : { ...body, cursor },
    signal,
    parse,
  });
  const { rows_read, elapsed_ms } = page.stats;
  return { ...page, stats: { rows_read: Number(rows_read), elapsed_ms: Number(elapsed_ms) } };
}
