import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { call, useTokens } from "./client";
import { ApiProblem, OfflineProblem } from "./problem";

const fetched = vi.fn<typeof fetch>();

function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers });
}

beforeEach(() => {
  fetched.mockReset();
  vi.stubGlobal("fetch", fetched);
  useTokens({ token: () => null, renew: async () => false });
});

describe("a request", () => {
  it("carries the access token, and a body as JSON", async () => {
    useTokens({ token: () => "t1", renew: async () => false });
    fetched.mockResolvedValue(json(200, { keys: [] }));
    expect(await call("POST", "/v1/keys", { body: { name: "x" } })).toEqual({ keys: [] });
    const [path, init] = fetched.mock.calls[0]!;
    expect(path).toBe("/v1/keys");
    expect(new Headers(init!.headers).get("authorization")).toBe("Bearer t1");
    expect(init!.body).toBe('{"name":"x"}');
  });

  it("renews an expired token once, and then repeats itself", async () => {
    let token = "old";
    const renew = vi.fn(async () => ((token = "new"), true));
    useTokens({ token: () => token, renew });
    fetched.mockResolvedValueOnce(json(401, { code: "unauthorized" })).mockResolvedValueOnce(json(200, { ok: 1 }));
    expect(await call("GET", "/v1/account")).toEqual({ ok: 1 });
    expect(renew).toHaveBeenCalledTimes(1);
    expect(new Headers(fetched.mock.calls[1]![1]!.headers).get("authorization")).toBe("Bearer new");
  });

  it("is without an answer when its body breaks off, or is not of the API", async () => {
    const broken = new ReadableStream({ start: (controller) => controller.error(new TypeError("network error")) });
    fetched.mockResolvedValueOnce(new Response(broken)).mockResolvedValueOnce(new Response("<html>Sign in</html>"));
    await expect(call("GET", "/v1/account")).rejects.toBeInstanceOf(OfflineProblem);
    await expect(call("GET", "/v1/account")).rejects.toBeInstanceOf(OfflineProblem);
  });

  it("fails with the API's own error once the session has ended", async () => {
    useTokens({ token: () => "old", renew: async () => false });
    fetched.mockResolvedValue(json(401, { code: "unauthorized", error: "Log in again.", request_id: "r-1" }));
    const problem = await call("GET", "/v1/account").catch((fault: unknown) => fault);
    expect(problem).toBeInstanceOf(ApiProblem);
    expect(problem).toMatchObject({
      status: 401,
      code: "unauthorized",
      message: "Log in again.",
      requestId: "r-1",
    });
    expect(fetched).toHaveBeenCalledTimes(1);
  });

  it("names the field that was rejected, and how long to wait", async () => {
    fetched.mockResolvedValue(
      json(429, { code: "invalid_email", error: "no", missing: ["a"] }, { "retry-after": "7" }),
    );
    const problem = (await call("POST", "/v1/login", { body: {} }).catch((fault: unknown) => fault)) as ApiProblem;
    expect([problem.field, problem.retryAfterSeconds, problem.details]).toEqual(["email", 7, { missing: ["a"] }]);
  });

  it("says that the service cannot be reached, but lets a cancelled request be cancelled", async () => {
    fetched.mockRejectedValueOnce(new TypeError("failed to fetch"));
    await expect(call("GET", "/v1/keys")).rejects.toBeInstanceOf(OfflineProblem);
    fetched.mockRejectedValueOnce(new DOMException("stop", "AbortError"));
    await expect(call("GET", "/v1/keys")).rejects.toMatchObject({ name: "AbortError" });
  });

  it("shows the gateway's own answers too", async () => {
    fetched.mockResolvedValueOnce(json(503, { message: "Service Unavailable" }, { "apigw-requestid": "g-1" }));
    await expect(call("GET", "/v1/keys")).rejects.toMatchObject({ code: "http_503", requestId: "g-1" });
    fetched.mockResolvedValueOnce(new Response("<html>", { status: 502 }));
    await expect(call("GET", "/v1/keys")).rejects.toMatchObject({ message: "The service answered 502." });
  });
});

describe("while the account runs its maximum of searches", () => {
  const busy = () => json(429, { code: "too_many_searches", error: "Busy." }, { "retry-after": "1" });

  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it("a request waits and is sent again", async () => {
    fetched.mockResolvedValueOnce(busy()).mockResolvedValueOnce(json(200, { events: 7 }));
    const answer = call("GET", "/v1/traces/t");
    await vi.advanceTimersByTimeAsync(1000);
    expect(await answer).toEqual({ events: 7 });
  });

  it("a request fails after some attempts", async () => {
    fetched.mockImplementation(async () => busy());
    const answer = call("GET", "/v1/traces/t").catch((fault: unknown) => fault);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(await answer).toMatchObject({ code: "too_many_searches" });
    expect(fetched).toHaveBeenCalledTimes(9);
  });

  it("a cancelled request is not sent again", async () => {
    fetched.mockImplementation(async () => busy());
    const controller = new AbortController();
    const answer = call("GET", "/v1/traces/t", { signal: controller.signal }).catch((fault: unknown) => fault);
    await vi.advanceTimersByTimeAsync(100);
    controller.abort();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(await answer).toMatchObject({ name: "AbortError" });
    expect(fetched).toHaveBeenCalledTimes(1);
  });
});
