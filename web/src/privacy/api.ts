import { call } from "../api/client";
import type {
  AccountProfile,
  ErasureList,
  ExportForm,
  ExportList,
  ListedErasure,
  ListedExport,
  SearchPage,
  StatsTable,
} from "../api/schema";
import { conditionsOf, type Person } from "./person";

export function readAccount(signal: AbortSignal): Promise<AccountProfile> {
  return call("GET", "/v1/account", { signal });
}

export async function listExports(signal: AbortSignal): Promise<ListedExport[]> {
  return (await call<ExportList>("GET", "/v1/account/exports", { signal })).exports;
}

export async function requestExport(form: ExportForm): Promise<void> {
  await call("POST", "/v1/account/export", { body: form });
}

/** With a link, if the archive is there; each call makes a new link. */
export function readExport(id: string): Promise<ListedExport> {
  return call("GET", `/v1/account/exports/${encodeURIComponent(id)}`);
}

export async function listErasures(signal: AbortSignal): Promise<ListedErasure[]> {
  return (await call<ErasureList>("GET", "/v1/erasures", { signal })).erasures;
}

/** How many stored rows mention the person now, and the newest of them. */
export interface Preview {
  rows: number;
  newest: { timestamp: string; service: string; message: string }[];
}

const EARLIEST = "2000-01-01T00:00:00Z";
const NEWEST = 3;
const DAY_MS = 86_400_000;

/** All stored time: events are dated from 2000 until a day ahead. */
export async function previewErasure(person: Person): Promise<Preview> {
  const range = { from: EARLIEST, to: new Date(Date.now() + 2 * DAY_MS).toISOString(), where: conditionsOf(person) };
  const table = await call<StatsTable>("POST", "/v1/stats", { body: { ...range, query: "| stats count() as n" } });
  const rows = Number(table.rows[0]?.[0] ?? 0);
  if (rows === 0) return { rows, newest: [] };
  const page = await call<SearchPage>("POST", "/v1/search", { body: { ...range, limit: NEWEST } });
  return { rows, newest: page.events };
}

/** With its receipt once it is verified; the list has none. */
export function readErasure(id: string, signal?: AbortSignal): Promise<ListedErasure> {
  return call("GET", `/v1/erasures/${encodeURIComponent(id)}`, signal ? { signal } : {});
}

export function erasePerson(person: Person): Promise<ListedErasure> {
  return call("POST", "/v1/erasures", { body: person });
}

export function eraseAccount(tenantId: string): Promise<ListedErasure> {
  return call("POST", "/v1/erasures", { body: { account: true, confirm: tenantId } });
}

export async function cancelErasure(id: string): Promise<void> {
  await call("DELETE", `/v1/erasures/${encodeURIComponent(id)}`);
}
