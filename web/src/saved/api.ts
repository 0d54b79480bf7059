import { call } from "../api/client";
import type { NewSearchForm, SavedSearchList, SavedSearchReply, SearchChangesForm } from "../api/schema";

export type SavedSearch = SavedSearchReply;

const path = (id: string) => `/v1/searches/${encodeURIComponent(id)}`;

export async function listSaved(signal?: AbortSignal): Promise<SavedSearch[]> {
  return (await call<SavedSearchList>("GET", "/v1/searches", signal ? { signal } : {})).searches;
}

export function readSaved(id: string, signal: AbortSignal): Promise<SavedSearch> {
  return call("GET", path(id), { signal });
}

export function saveSearch(body: NewSearchForm): Promise<SavedSearch> {
  return call("POST", "/v1/searches", { body });
}

export function changeSaved(id: string, body: SearchChangesForm): Promise<SavedSearch> {
  return call("PATCH", path(id), { body });
}

export async function deleteSaved(id: string): Promise<void> {
  await call("DELETE", path(id));
}
