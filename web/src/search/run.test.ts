import { beforeEach, describe, expect, it, vi } from "vitest";
import { SearchRun } from "./run";

const fetched = vi.fn<typeof fetch>();
const BODY = { query: "level:error", from: "2026-11-30T11:00:00.000Z", to: "2026-11-30T12:00:00.000Z", limit: 200 };

function page(messages: string[], next: string | null = null): Response {
  const events = messages.map((message) => ({ message, metadata: {} }));
  return Response.json({ events, next_cursor: next, stats: { rows_read: 10, elapsed_ms: 1.5 } });
}

function shown(run: SearchRun): string[] {
  return run.events.value.map((event) => event.message);
}

beforeEach(() => {
  fetched.mockReset();
  vi.stubGlobal("fetch", fetched);
});

describe("a search", () => {
  it("loads page after page with the same body, until there is no more", async () => {
    const run = new SearchRun();
    fetched.mockResolvedValueOnce(page(["a", "b"], "c1")).mockResolvedValueOnce(page(["c"]));
    await run.start(BODY);
    expect([shown(run), run.hasMore.value]).toEqual([["a", "b"], true]);
    await run.more();
    await run.more();
    expect([shown(run), run.hasMore.value]).toEqual([["a", "b", "c"], false]);
    const bodies = fetched.mock.calls.map(([, init]) => JSON.parse(String(init!.body)));
    expect(bodies).toEqual([BODY, { ...BODY, cursor: "c1" }]);
  });

  it("keeps metadata's digits", async () => {
    const run = new SearchRun();
    const digits =
      '{"events":[{"message":"a","metadata":{"n":12345678901234567890.10}}],"next_cursor":null,"stats":{"rows_read":1,"elapsed_ms":1}}';
    fetched.mockResolvedValueOnce(new Response(digits));
    await run.start(BODY);
    expect(String(run.events.value[0]!.metadata["n"])).toBe("12345678901234567890.10");
  });

  it("shows nothing of a search that a newer one has replaced", async () => {
    const run = new SearchRun();
    let answerFirst = (_: Response): void => undefined;
    fetched.mockImplementationOnce(() => new Promise((resolve) => (answerFirst = resolve)));
    fetched.mockResolvedValueOnce(page(["new"]));
    const first = run.start(BODY);
    await run.start({ ...BODY, query: "level:warn" });
    answerFirst(page(["old"]));
    await first;
    expect(shown(run)).toEqual(["new"]);
  });

  it("keeps the events when the next page fails, and loads it again", async () => {
    const run = new SearchRun();
    fetched.mockResolvedValueOnce(page(["a"], "c1"));
    fetched.mockResolvedValueOnce(Response.json({ code: "search_unavailable", error: "Down." }, { status: 503 }));
    fetched.mockResolvedValueOnce(page(["b"]));
    await run.start(BODY);
    await run.more();
    expect([shown(run), run.problem.value?.message]).toEqual([["a"], "Down."]);
    await run.more();
    expect([shown(run), run.problem.value]).toEqual([["a", "b"], null]);
  });

  it("can be cancelled", async () => {
    const run = new SearchRun();
    fetched.mockImplementationOnce(
      (_, init) =>
        new Promise((_resolve, reject) =>
          init!.signal!.addEventListener("abort", () => reject(new DOMException("x", "AbortError"))),
        ),
    );
    const started = run.start(BODY);
    run.cancel();
    await started;
    expect([run.phase.value, run.problem.value]).toEqual(["done", null]);
  });

  it("never adds a page of a search that failed to the events of its last time", async () => {
    const run = new SearchRun();
    fetched.mockResolvedValueOnce(page(["a"], "c1"));
    fetched.mockResolvedValueOnce(Response.json({ code: "search_unavailable", error: "Down." }, { status: 503 }));
    fetched.mockResolvedValueOnce(page(["a"], "c1"));
    await run.start(BODY);
    await run.start(BODY);
    await run.more();
    expect(shown(run)).toEqual(["a"]);
  });
});
