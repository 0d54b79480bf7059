import { call } from "../api/client";

export type Scope = "ingest" | "read" | "admin";

/** An API key as `GET /v1/keys` shows it (docs/keys.md). */
export interface Key {
  id: string;
  name: string;
  prefix: string;
  scopes: Scope[];
  project_id: string | null;
  state: "active" | "expired" | "revoked" | "replaced" | string;
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
}

/** `key` is the key itself: it is in this response only. */
export interface CreatedKey extends Key {
  key: string;
}

export async function listKeys(signal: AbortSignal): Promise<Key[]> {
  return (await call<{ keys: Key[] }>("GET", "/v1/keys", { signal })).keys;
}

export function createKey(name: string, scopes: readonly Scope[]): Promise<CreatedKey> {
  return call("POST", "/v1/keys", { body: { name, scopes } });
}

export async function revokeKey(id: string): Promise<void> {
  await call("DELETE", `/v1/keys/${encodeURIComponent(id)}`);
}
