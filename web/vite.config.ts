import { defineConfig } from "vitest/config";

// One HTML file, hashed assets, no inline script or style: the content security policy allows neither.
export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
  },
  server: {
    proxy: { "/v1": process.env["API"] ?? "http://127.0.0.1:8080" },
  },
  test: {
    environment: "happy-dom",
    css: true,
    include: ["src/**/*.test.{ts,tsx}"],
    // All files share a worker's modules and DOM: a DOM for each of 40 files took six times the CPU time of the tests.
    isolate: false,
    restoreMocks: true,
    unstubGlobals: true,
  },
});
