// splunk-logging, in batches.
import splunk from "splunk-logging";

const { URL: url, KEY: token, RUN: run, COUNT: count } = process.env;
const logger = new splunk.Logger({ url, token, maxBatchCount: 100, maxRetries: 5 });
const failures = [];
logger.error = (error) => failures.push(String(error));
for (let number = 0; number < Number(count); number++) {
  logger.send({ message: { message: `${run} ${number}`, order: number }, severity: "warn", metadata: { source: "shop" } });
}
const [status, body] = await new Promise((resolve, reject) =>
  logger.flush((error, response, answer) => (error ? reject(error) : resolve([response.statusCode, answer]))),
);
await new Promise((resolve) => setTimeout(resolve, 2000));
console.log(JSON.stringify({ sent: Number(count), status, body, failures }));
