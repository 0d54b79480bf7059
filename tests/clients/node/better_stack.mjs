// @logtail/node, as its README configures it.
import { Logtail } from "@logtail/node";

const { URL: endpoint, KEY: token, RUN: run, COUNT: count } = process.env;
const logtail = new Logtail(token, { endpoint });
const sent = [];
for (let number = 0; number < Number(count); number++) {
  sent.push(logtail.warn(`${run} ${number}`, { order: number }));
}
await Promise.all([logtail.flush(), ...sent]);
console.log(JSON.stringify({ sent: sent.length }));
