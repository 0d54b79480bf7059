import { expect, it } from "vitest";
import { readTraceAddress, writeTraceAddress, type TraceAddress } from "./address";

const PLAIN: TraceAddress = { span: null, event: null, tab: "event" };

it.each<Partial<TraceAddress>>([
  {},
  { span: { service: "checkout", span_id: "00f067aa0ba902b7" } },
  { span: { service: "", span_id: "a&b #c" } },
  { event: "01m2q4v8w3n5x7z9b1d3f5h7j9-0", tab: "context" },
])("an address of a trace reads as it was written: %o", (given) => {
  const address = { ...PLAIN, ...given };
  const written = new URL(writeTraceAddress("4bf9/2f", address), "https://logs.example.com");
  expect(written.pathname).toBe("/trace/4bf9%2F2f");
  expect(readTraceAddress(written.search)).toEqual(address);
});

it("a trace without a choice has the plain address", () => {
  expect(writeTraceAddress("4bf92f", { ...PLAIN, tab: "json" })).toBe("/trace/4bf92f");
  expect(readTraceAddress("?tab=nonsense")).toEqual(PLAIN);
});
