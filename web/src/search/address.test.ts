import { expect, it } from "vitest";
import { readAddress, writeAddress } from "./address";

it.each([
  { query: "", range: { from: "-1h", to: null } },
  { query: 'level:error "a & b" +c #d', range: { from: "-24h", to: null } },
  { query: "ünï 日本 \u202e", range: { from: "2026-11-01T00:00:00Z", to: "2026-11-02T00:00:00Z" } },
])("an address reads as it was written: $query", (address) => {
  const written = new URL(writeAddress(address), "https://logs.example.com");
  expect(written.pathname).toBe("/search");
  expect(readAddress(written.search)).toEqual(address);
});
