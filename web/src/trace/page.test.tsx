import { render } from "preact";
import { act } from "preact/test-utils";
import { Route } from "wouter-preact";
import { beforeEach, expect, it, vi } from "vitest";
import { TracePage } from "./page";

const page = document.createElement("div");
const AT = "2026-11-30T02:01:09.105Z";

function event(service: string, span_id: string, number: number) {
  const fixed = { level: "info", project_id: "default", trace_id: "4bf92f", metadata: {}, timestamp: AT };
  return { ...fixed, id: `e-${number}`, service, span_id, message: `message of ${service}` };
}

function span(service: string, span_id: string) {
  return { service, span_id, start: AT, end: AT, duration_ms: 1, level: "info", events: 1 };
}

const TRACE = {
  trace_id: "4bf92f",
  from: AT,
  to: AT,
  duration_ms: 1,
  services: ["checkout", "payment"],
  spans: [span("checkout", "a1"), span("payment", "a1")],
  events: [event("checkout", "a1", 1), event("payment", "a1", 2)],
  truncated: false,
};

async function open(path: string): Promise<void> {
  history.replaceState(null, "", path);
  render(null, page);
  await act(async () => render(<Route path="/trace/:id" component={TracePage} />, page));
  await vi.waitFor(() => expect(page.querySelector(".timeline")).not.toBeNull());
}

function pressed(): string[] {
  return [...page.querySelectorAll<HTMLElement>(".timeline [aria-pressed=true]")].map((each) => each.textContent!);
}

beforeEach(() => {
  document.body.replaceChildren(page);
  vi.stubGlobal("fetch", async () => Response.json(TRACE));
});

it("the address has the chosen span, the open event and its tab", async () => {
  await open("/trace/4bf92f");
  expect(pressed()).toEqual([]);
  const [, payment] = page.querySelectorAll<HTMLButtonElement>(".timeline button");
  await act(async () => payment!.click());
  expect(new URLSearchParams(location.search).get("span")).toBe("a1");
  const shared = location.pathname + location.search;

  await open(shared);
  expect(pressed()).toHaveLength(1);
  expect(pressed()[0]).toContain("payment");
  await act(async () => page.querySelector<HTMLButtonElement>(".timeline [aria-pressed=true]")!.click());
  expect(location.search).toBe("");
});

it("a link opens the event and the tab that were shared", async () => {
  await open("/trace/4bf92f?event=e-2&tab=json");
  expect(page.querySelector("[role=tab][aria-selected=true]")!.textContent).toBe("JSON");
  await act(async () => page.querySelector<HTMLButtonElement>("[role=tab]")!.click());
  expect(new URLSearchParams(location.search).get("tab")).toBeNull();
  expect(new URLSearchParams(location.search).get("event")).toBe("e-2");
  await act(async () => page.querySelector<HTMLButtonElement>("[aria-label='Close the event']")!.click());
  expect(page.querySelector("[role=tablist]")).toBeNull();
  expect(location.search).toBe("");
});

it("an address that names no span and no event of the trace shows the whole trace", async () => {
  await open("/trace/4bf92f?span=zz&service=other&event=e-9");
  expect(pressed()).toEqual([]);
  expect(page.querySelector("[role=tablist]")).toBeNull();
});
