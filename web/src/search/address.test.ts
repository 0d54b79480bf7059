import { expect, it } from "vitest";
import { readAddress, writeAddress, type SearchAddress } from "./address";

const PLAIN: SearchAddress = {
  query: "",
  range: { from: "-1h", to: null },
  view: "lines",
  compare: false,
  columns: [],
  wrap: false,
  event: null,
  tab: "event",
};

it.each<Partial<SearchAddress>>([
  {},
  { query: 'level:error "a & b" +c #d', range: { from: "-24h", to: null } },
  { query: "ünï 日本 \u202e", range: { from: "2026-11-01T00:00:00Z", to: "2026-11-02T00:00:00Z" } },
  { view: "patterns", compare: true },
  { columns: ["order", "`odd, name`", "a.b"], wrap: true, event: "01m2q4v8w3n5x7z9b1d3f5h7j9-0" },
  { event: "01m2q4v8w3n5x7z9b1d3f5h7j9-0", tab: "context" },
  { event: "01m2q4v8w3n5x7z9b1d3f5h7j9-0", tab: "json" },
])("an address reads as it was written: %o", (given) => {
  const address = { ...PLAIN, ...given };
  const written = new URL(writeAddress(address), "https://logs.example.com");
  expect(written.pathname).toBe("/search");
  expect(readAddress(written.search)).toEqual(address);
});

it("the plain search has the plain address", () => {
  expect(writeAddress(PLAIN)).toBe("/search");
});

it("an address of any text has each column once, and few of them", () => {
  const many = Array.from({ length: 40 }, (_, index) => `column=c${index % 20}`).join("&");
  expect(readAddress(`?${many}&view=nonsense`).columns).toHaveLength(8);
  expect(readAddress("?view=nonsense").view).toBe("lines");
});

it("an address has no tab of an event that is not open, and no tab that does not exist", () => {
  expect(writeAddress({ tab: "json" })).toBe("/search");
  expect(readAddress("?event=e-1&tab=constructor").tab).toBe("event");
});
