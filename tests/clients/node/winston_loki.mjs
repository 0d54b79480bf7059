// winston-loki: COUNT records, in protobuf with snappy or in JSON.
import winston from "winston";
import LokiTransport from "winston-loki";

const { URL: host, KEY, RUN, COUNT, JSON_FORM } = process.env;
const errors = [];
const transport = new LokiTransport({
  host,
  basicAuth: `astralog:${KEY}`,
  labels: { application: "shop", run: RUN },
  json: JSON_FORM === "yes",
  interval: 1,
  format: winston.format.json(),
  useWinstonMetaAsLabels: false,
  gracefulShutdown: false,
  onConnectionError: (error) => errors.push(String(error)),
});
const logger = winston.createLogger({ transports: [transport] });
for (let number = 0; number < Number(COUNT); number += 1) {
  logger.error({ message: `line ${number}`, labels: { part: String(number % 10) } });
}
await transport.flush();
process.stdout.write(JSON.stringify({ errors, type: transport.batcher.contentType }) + "\n");
process.exit(0);
