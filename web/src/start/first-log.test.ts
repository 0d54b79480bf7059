import { beforeEach, expect, it, vi } from "vitest";
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
