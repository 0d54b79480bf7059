// pino-elasticsearch: COUNT records of pino, piped into its command as its documentation shows.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import pino from "pino";

const { URL: node, KEY, RUN, COUNT } = process.env;
const command = fileURLToPath(new globalThis.URL("../node_modules/pino-elasticsearch/cli.js", import.meta.url));
const flags = ["--node", node, "--index", "shop", "--username", "astralog", "--password", KEY];
const child = spawn("node", [command, ...flags, "--flushBytes", "50000"], { stdio: ["pipe", "inherit", "pipe"] });
let errors = "";
child.stderr.on("data", (data) => (errors += data));
const ended = new Promise((resolve) => child.on("close", resolve));
const logger = pino({ base: null }, child.stdin);
for (let number = 0; number < Number(COUNT); number += 1) {
  logger.warn({ run: RUN, event_id: String(number) }, `line ${number}`);
}
child.stdin.end();
await ended;
process.stdout.write(JSON.stringify({ errors }) + "\n");
