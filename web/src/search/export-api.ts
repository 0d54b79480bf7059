import { call } from "../api/client";
import type { RequestedSearchExport, SearchExportList, ShownSearchExport } from "../api/schema";
import type { Filter } from "./api";

export type Format = ShownSearchExport["format"];
export type Compression = ShownSearchExport["compression"];

/** What a search would read at most. */
export interface Estimate {
  rows: number;
  bytes: number;
}

export async function estimateSearch(filter: Filter, signal: AbortSignal): Promise<Estimate> {
  const body = { ...filter, limit: 1 };
  const found = await call<{ estimate: Estimate }>("POST", "/v1/search", { body, query: { dry_run: "true" }, signal });
  return found.estimate;
}

export async function requestSearchExport(
  filter: Filter,
  format: Format,
  compression: Compression,
): Promise<RequestedSearchExport> {
  return call<RequestedSearchExport>("POST", "/v1/search/export", { body: { ...filter, format, compression } });
}

export async function listSearchExports(signal: AbortSignal): Promise<ShownSearchExport[]> {
  return (await call<SearchExportList>("GET", "/v1/search/exports", { signal })).exports;
}

export async function readSearchExport(id: string): Promise<ShownSearchExport> {
  return call<ShownSearchExport>("GET", `/v1/search/exports/${encodeURIComponent(id)}`);
}
