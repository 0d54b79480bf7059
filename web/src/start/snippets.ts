/** How each client sends a log to this installation; `docs/clients` has a page for each. */
export interface Client {
  name: string;
  /** The part of docs/clients that says more. */
  page: string;
  text(endpoint: string, key: string): string;
}

export const CLIENTS: readonly Client[] = [
  {
    name: "curl",
    page: "curl",
    text: (endpoint, key) =>
      [
        `curl '${endpoint}/v1/drain?wait=true' \\`,
        `  -H 'Authorization: Bearer ${key}' \\`,
        `  -H 'Content-Type: application/json' \\`,
        `  -d '{"message": "hello from curl", "level": "info", "service": "first-steps"}'`,
      ].join("\n"),
  },
  {
    name: "OpenTelemetry",
    page: "opentelemetry",
    text: (endpoint, key) =>
      [
        `export OTEL_EXPORTER_OTLP_LOGS_ENDPOINT='${endpoint}/v1/logs'`,
        `export OTEL_EXPORTER_OTLP_LOGS_PROTOCOL='http/protobuf'`,
        `export OTEL_EXPORTER_OTLP_LOGS_HEADERS='Authorization=Bearer ${key}'`,
      ].join("\n"),
  },
  {
    name: "fluent-bit",
    page: "fluent-bit",
    text: (endpoint, key) => {
      const { hostname, port, protocol } = new URL(endpoint);
      const tls = protocol === "https:";
      return [
        "[OUTPUT]",
        "    Name    http",
        "    Match   *",
        `    Host    ${hostname}`,
        `    Port    ${port || (tls ? 443 : 80)}`,
        "    URI     /v1/drain",
        "    Format  json",
        "    Compress gzip",
        `    Header  Authorization Bearer ${key}`,
        `    tls     ${tls ? "On" : "Off"}`,
      ].join("\n");
    },
  },
  {
    name: "Loki clients",
    page: "loki",
    text: (endpoint, key) =>
      ["clients:", `  - url: ${endpoint}/loki/api/v1/push`, "    headers:", `      Authorization: Bearer ${key}`].join(
        "\n",
      ),
  },
  {
    name: "Elasticsearch clients",
    page: "elasticsearch",
    text: (endpoint, key) =>
      [
        "from elasticsearch import Elasticsearch, helpers",
        "",
        `client = Elasticsearch("${endpoint}", bearer_auth="${key}")`,
        `helpers.bulk(client, [{"_index": "logs", "message": "hello from Python"}])`,
      ].join("\n"),
  },
];
