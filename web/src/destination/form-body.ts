import type { DestinationForm } from "../api/schema";

/** How the service gets into the bucket: "kept" uses the stored credentials. */
export type Access = "role" | "key" | "kept";

/** The body of a request from the fields of the form; credentials that are left out are those that are stored. */
export function destinationBody(text: (name: string) => string, access: Access): DestinationForm {
  const bucket: DestinationForm["bucket"] = { name: text("bucket.name"), region: text("bucket.region") };
  if (access === "role") bucket.role_arn = text("bucket.role_arn");
  if (access !== "role") {
    if (text("bucket.endpoint")) bucket.endpoint = text("bucket.endpoint");
  }
  if (access === "key") {
    bucket.access_key_id = text("bucket.access_key_id");
    bucket.secret_access_key = text("bucket.secret_access_key");
  }
  const clickhouse: DestinationForm["clickhouse"] = {
    ...address(text("clickhouse.host")),
    database: text("clickhouse.database"),
  };
  if (text("clickhouse.user")) clickhouse.user = text("clickhouse.user");
  if (text("clickhouse.password")) clickhouse.password = text("clickhouse.password");
  return { bucket, clickhouse, retention_days: Number(text("retention_days")) || 3650 };
}

/** Host, port and TLS of "ch.example.com", "ch.example.com:443" or "http://127.0.0.1:8123". */
export function address(entered: string): { host: string; port?: number; secure?: boolean } {
  const [, scheme, host, port] = /^(?:(https?):\/\/)?(\[[^\]]*\]|[^:/]*)(?::(\d+))?\/?$/.exec(entered) ?? [];
  if (!host) return { host: entered };
  return {
    host: host.replace(/^\[|\]$/g, ""),
    ...(port ? { port: Number(port) } : {}),
    ...(scheme === "http" ? { secure: false } : {}),
  };
}
