import { call } from "../api/client";

export type Scope = "ingest" | "read" | "admin";

/** An API key as `GET /v1/keys` shows it (docs/keys.md). */
export interface Key {
  id: string;
  name: string;
  prefix: string;
  scopes: Scope[];
  project_id: string | null;
  state: "active" | "rotating" | "expired" | "revoked";
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
}

/** `key` is the key itself: it is in this response only. `replaced`: the key that was rotated. */
export interface CreatedKey extends Key {
  key: string;
  replaced?: Key | null;
}

export async function listKeys(signal: AbortSignal): Promise<Key[]> {
  return (await call<{ keys: Key[] }>("GET", "/v1/keys", { signal })).keys;
}

export function createKey(name: string, scopes: readonly Scope[]): Promise<CreatedKey> {
  return call("POST", "/v1/keys", { body: { name, scopes } });
}

/** Create a key with the properties of another one, which stays valid for `overlapHours`. */
export function rotateKey(id: string, overlapHours: number): Promise<CreatedKey> {
  return call("POST", `/v1/keys/${encodeURIComponent(id)}/rotate`, { body: { overlap_hours: overlapHours } });
}

export async function revokeKey(id: string): Promise<void> {
  await call("DELETE", `/v1/keys/${encodeURIComponent(id)}`);
}
