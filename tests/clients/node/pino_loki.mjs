// pino-loki: COUNT records through the transport, with structured metadata.
import pino from "pino";
import { pinoLoki } from "pino-loki";

const { URL: host, KEY, RUN, COUNT } = process.env;
const errors = [];
console.error = (...texts) => errors.push(texts.join(" "));
const stream = pinoLoki({
  host,
  basicAuth: { username: "astralog", password: KEY },
  labels: { application: "shop" },
  batching: { interval: 1, maxBufferSize: 0 },
});
const logger = pino({ base: null }, stream);
for (let number = 0; number < Number(COUNT); number += 1) {
  logger.error({ meta: { run: RUN, event_id: String(number) } }, `line ${number}`);
}
stream.end();
await new Promise((resolve) => stream.on("close", resolve));
process.stdout.write(JSON.stringify({ errors }) + "\n");
