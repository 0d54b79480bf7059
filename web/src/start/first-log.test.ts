import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { waitForLog } from "./first-log";

const fetched = vi.fn<typeof fetch>();
const LOG = { timestamp: "2026-11-30T02:01:09.105Z", level: "warn", service: "first-steps", message: "hello" };
const SINCE = new Date("2026-11-30T02:00:00Z");

function found(...events: unknown[]): void {
  fetched.mockImplementationOnce(async () => Response.json({ events }));
}

beforeEach(() => {
  fetched.mockReset();
  vi.stubGlobal("fetch", fetched);
});

afterEach(() => {
  vi.useRealTimers();
  show();
});

function hide(): void {
  Object.defineProperty(document, "hidden", { configurable: true, value: true });
  document.dispatchEvent(new Event("visibilitychange"));
}

function show(): void {
  Reflect.deleteProperty(document, "hidden");
  document.dispatchEvent(new Event("visibilitychange"));
}

it("asks until a log has come, and only for logs since the page was opened", async () => {
  found();
  found();
  found(LOG);
  expect(await waitForLog(SINCE, new AbortController().signal, 1)).toEqual(LOG);
  const bodies = fetched.mock.calls.map(([, init]) => JSON.parse(String(init!.body)));
  expect(bodies).toEqual(Array(3).fill({ from: "2026-11-30T02:00:00.000Z", limit: 1 }));
});

it("continues after failures of the service and of the network", async () => {
  fetched.mockRejectedValueOnce(new TypeError("network"));
  fetched.mockImplementationOnce(async () => new Response("", { status: 503 }));
  found(LOG);
  expect(await waitForLog(SINCE, new AbortController().signal, 1)).toEqual(LOG);
});

it("stops asking when the page is left", async () => {
  fetched.mockImplementation(async () => Response.json({ events: [] }));
  const leaving = new AbortController();
  const waiting = waitForLog(SINCE, leaving.signal, 5);
  leaving.abort();
  await expect(waiting).rejects.toMatchObject({ name: "AbortError" });
  const asked = fetched.mock.calls.length;
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(fetched.mock.calls.length).toBe(asked);
});

it("asks ever less often while no log comes", async () => {
  vi.useFakeTimers();
  fetched.mockImplementation(async () => Response.json({ events: [] }));
  const leaving = new AbortController();
  const waiting = waitForLog(SINCE, leaving.signal).catch(() => undefined);
  await vi.advanceTimersByTimeAsync(10_000);
  const early = fetched.mock.calls.length;
  expect(early).toBeGreaterThanOrEqual(4);
  await vi.advanceTimersByTimeAsync(290_000);
  fetched.mockClear();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(fetched.mock.calls.length).toBe(4);
  leaving.abort();
  await waiting;
});

it("does not ask while the page is hidden, and asks at once when it is shown again", async () => {
  vi.useFakeTimers();
  fetched.mockImplementation(async () => Response.json({ events: [] }));
  const waiting = waitForLog(SINCE, new AbortController().signal);
  await vi.advanceTimersByTimeAsync(60_000);
  hide();
  fetched.mockClear();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(fetched).not.toHaveBeenCalled();
  found(LOG);
  show();
  await vi.advanceTimersByTimeAsync(0);
  expect(await waiting).toEqual(LOG);
});

it("stops when a hidden page is left", async () => {
  fetched.mockImplementation(async () => Response.json({ events: [] }));
  hide();
  const leaving = new AbortController();
  const waiting = waitForLog(SINCE, leaving.signal, 1);
  leaving.abort();
  await expect(waiting).rejects.toMatchObject({ name: "AbortError" });
});
