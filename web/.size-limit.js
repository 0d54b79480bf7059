import { readFileSync } from "node:fs";

// The first load is what index.html names: its script, what that script imports at once, and the styles.
const html = readFileSync(new URL("dist/index.html", import.meta.url), "utf8");
const named = (ending) =>
  [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)]
    .map(([, path]) => path)
    .filter((path) => path.endsWith(ending))
    .map((path) => `dist/${path}`);

export default [
  { name: "first load: script", path: named(".js"), limit: "90 kB", gzip: true },
  { name: "first load: style", path: named(".css"), limit: "12 kB", gzip: true },
];
