import { beforeEach, describe, expect, it, vi } from "vitest";
import { SearchRun } from "./run";
import { Searching } from "./searching";

const fetched = vi.fn<typeof fetch>();
const RANGE = { from: "-1h", to: null };
const stats = { rows_read: 1, elapsed_ms: 1 };

/** Answers of the routes of a search; `search` is how it answers itself. */
function serve(search: () => Promise<Response>): void {
  fetched.mockImplementation(async (path) => {
    if (path === "/v1/search") return search();
    if (path === "/v1/histogram")
      return Response.json({ interval: "1m", from: "", to: "", starts: [], series: [], other: null, total: 7, stats });
    return Response.json({ fields: [], truncated: false, rows: 7, sampled_rows: 7 });
  });
}

async function found(): Promise<Response> {
  return Response.json({ events: [{ message: "of the first", metadata: {} }], next_cursor: null, stats });
}

async function first(): Promise<Searching> {
  serve(found);
  const searching = new Searching("first", RANGE, null);
  await searching.start();
  await vi.waitFor(() => expect(searching.fields.stale.value).toBe(false));
  return searching;
}

beforeEach(() => {
  fetched.mockReset();
  vi.stubGlobal("fetch", fetched);
});

describe("what is shown of a search", () => {
  it("is not its own until its first page is there", async () => {
    const second = new Searching("second", RANGE, await first());
    expect([second.run.events.value.length, second.stale, second.histogram.stale.value]).toEqual([1, true, true]);
    await second.start();
    expect(second.stale).toBe(false);
    await vi.waitFor(() => expect(second.histogram.stale.value).toBe(false));
  });

  it("is never that of the search before as if it were its own: not after a failure", async () => {
    const second = new Searching("second", RANGE, await first());
    serve(async () => Response.json({ code: "search_unavailable", error: "Down." }, { status: 503 }));
    await second.start();
    expect([second.problem?.message, second.stale]).toEqual(["Down.", true]);
    expect([second.histogram.stale.value, second.fields.stale.value]).toEqual([true, true]);
  });

  it("is never that of the search before as if it were its own: not after it was cancelled", async () => {
    const second = new Searching("second", RANGE, await first());
    serve(() => new Promise(() => undefined));
    void second.start();
    second.cancel();
    expect([second.cancelled.value, second.hasResults, second.stale]).toEqual([true, false, true]);
    serve(found);
    await second.start();
    expect([second.cancelled.value, second.stale]).toEqual([false, false]);
  });
});

it("tries the next page again, or the search if there is none", async () => {
  const searching = await first();
  const [more, start] = [vi.spyOn(SearchRun.prototype, "more"), vi.spyOn(SearchRun.prototype, "start")];
  searching.run.hasMore.value = true;
  searching.retry();
  expect([more.mock.calls.length, start.mock.calls.length]).toEqual([1, 0]);
  searching.run.hasMore.value = false;
  searching.retry();
  expect(start).toHaveBeenCalledOnce();
});
