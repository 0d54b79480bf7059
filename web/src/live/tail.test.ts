import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Tail } from "./tail";

const fetched = vi.fn<typeof fetch>();
const event = (id: string) => ({ id, message: id, metadata: {} });
const tailPage = (cursor: string, ...ids: string[]) => Response.json({ events: ids.map(event), cursor });
const searchPage = (...ids: string[]) =>
  Response.json({ events: ids.map(event), next_cursor: null, stats: { rows_read: 1, elapsed_ms: 1 } });
const failed = (status: number, code: string) => Response.json({ code, error: code }, { status });
const never = (_: unknown, init?: RequestInit) =>
  new Promise<Response>((_resolve, reject) =>
    init!.signal!.addEventListener("abort", () => reject(new DOMException("x", "AbortError"))),
  );
const shown = (tail: Tail) => tail.events.value.map(({ id }) => id);
const asked = () => fetched.mock.calls.map(([url]) => String(url)).filter((url) => url.startsWith("/v1/tail"));

beforeEach(() => {
  vi.useFakeTimers();
  fetched.mockReset();
  vi.stubGlobal("fetch", fetched);
});
afterEach(() => vi.useRealTimers());

async function followed(query = ""): Promise<Tail> {
  fetched.mockImplementation(never);
  const tail = new Tail(query);
  void tail.run();
  await vi.advanceTimersByTimeAsync(0);
  return tail;
}

describe("a tail", () => {
  it("begins with the newest events of before, and shows each event once, oldest first", async () => {
    fetched
      .mockResolvedValueOnce(tailPage("c1"))
      .mockResolvedValueOnce(searchPage("b", "a"))
      .mockResolvedValueOnce(tailPage("c2", "b", "c"));
    const tail = await followed("level:error");
    expect(shown(tail)).toEqual(["a", "b", "c"]);
    expect(asked()).toEqual([
      "/v1/tail?q=level%3Aerror&wait=0",
      "/v1/tail?q=level%3Aerror&cursor=c1&wait=10",
      "/v1/tail?q=level%3Aerror&cursor=c2&wait=10",
    ]);
    expect(tail.rate(Date.now())).toBeCloseTo(0.1);
    tail.stop();
  });

  it("continues with the same cursor when the API is away, ever less often", async () => {
    fetched
      .mockResolvedValueOnce(tailPage("c1"))
      .mockResolvedValueOnce(searchPage())
      .mockResolvedValueOnce(failed(503, "search_unavailable"))
      .mockRejectedValueOnce(new TypeError("network"))
      .mockResolvedValueOnce(tailPage("c2", "x"));
    const tail = await followed();
    expect(tail.waiting.value).not.toBeNull();
    await vi.advanceTimersByTimeAsync(1000);
    await vi.advanceTimersByTimeAsync(1000);
    expect(shown(tail)).toEqual([]);
    await vi.advanceTimersByTimeAsync(1000);
    expect([shown(tail), tail.waiting.value]).toEqual([["x"], null]);
    expect(asked().filter((url) => url.includes("cursor=c1"))).toHaveLength(3);
    tail.stop();
  });

  it("begins again, and says so, when its cursor has expired", async () => {
    fetched
      .mockResolvedValueOnce(tailPage("c1", "a"))
      .mockResolvedValueOnce(searchPage("a"))
      .mockResolvedValueOnce(failed(410, "cursor_expired"))
      .mockResolvedValueOnce(tailPage("c9"))
      .mockResolvedValueOnce(searchPage("b", "a"));
    const tail = await followed();
    expect([shown(tail), tail.gap.value]).toEqual([["a", "b"], true]);
    tail.stop();
  });

  it("loses no event when those of before cannot be read at once", async () => {
    fetched
      .mockResolvedValueOnce(tailPage("c1", "b"))
      .mockResolvedValueOnce(failed(503, "search_unavailable"))
      .mockResolvedValueOnce(tailPage("c2", "c"))
      .mockResolvedValueOnce(searchPage("a"));
    const tail = await followed();
    expect([shown(tail), tail.started.value]).toEqual([[], false]);
    await vi.advanceTimersByTimeAsync(1000);
    expect([shown(tail), tail.started.value]).toEqual([["a", "b", "c"], true]);
    tail.stop();
  });

  it("ends at a query that is none", async () => {
    fetched.mockResolvedValueOnce(failed(400, "invalid_query"));
    const tail = await followed("(");
    expect(tail.problem.value?.message).toBe("invalid_query");
    expect(asked()).toHaveLength(1);
  });

  it("drops no line while the person reads earlier ones, and counts what came", async () => {
    const many = Array.from({ length: 5200 }, (_, index) => `e${index}`);
    const reading = new Tail("");
    reading.follow(false);
    fetched.mockResolvedValueOnce(tailPage("c1")).mockResolvedValueOnce(searchPage());
    fetched.mockResolvedValueOnce(tailPage("c2", ...many)).mockImplementation(never);
    void reading.run();
    await vi.advanceTimersByTimeAsync(0);
    expect([reading.events.value.length, reading.unseen.value]).toEqual([5200, 5200]);
    reading.follow(true);
    expect([reading.events.value.length, reading.unseen.value]).toEqual([5000, 0]);
    reading.stop();
  });
});
