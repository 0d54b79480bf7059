import { beforeEach, describe, expect, it, vi } from "vitest";
import { call } from "../api/client";
import { hasExpired, logIn, logOut, renewSession, resumeSession, sessionState } from "./session";

const fetched = vi.fn<typeof fetch>();

function answer(status: number, body: unknown): void {
  fetched.mockImplementationOnce(async () => new Response(JSON.stringify(body), { status }));
}

beforeEach(() => {
  fetched.mockReset();
  vi.stubGlobal("fetch", fetched);
});

describe("the session of a browser", () => {
  it("is resumed by the cookie, without any token from a script", async () => {
    answer(200, { access_token: "a1", refresh_token: null, expires_in: 3600 });
    await resumeSession();
    expect(sessionState.value).toBe("signed-in");
    const [path, init] = fetched.mock.calls[0]!;
    expect([path, init!.body, init!.credentials]).toEqual(["/v1/login", '{"cookie":true}', "same-origin"]);
    expect(new Headers(init!.headers).has("authorization")).toBe(false);
  });

  it("ends when the cookie holds no session", async () => {
    answer(401, { code: "no_session" });
    expect(await renewSession()).toBe(false);
    expect(sessionState.value).toBe("signed-out");
  });

  it("has expired when it ends while it is used, and not when the person ends it or comes without one", async () => {
    answer(200, { access_token: "a1", expires_in: 3600 });
    await logIn("a@example.com", "secret-words-here");
    answer(401, { code: "no_session" });
    await renewSession();
    expect(hasExpired.value).toBe(true);
    answer(200, { access_token: "a1", expires_in: 3600 });
    await logIn("a@example.com", "secret-words-here");
    answer(200, { status: "logged_out" });
    await logOut();
    answer(401, { code: "no_session" });
    await renewSession();
    expect(hasExpired.value).toBe(false);
  });

  it("outlives a failure of the service: only a rejection ends it", async () => {
    answer(200, { access_token: "a1", expires_in: 3600 });
    await logIn("a@example.com", "secret-words-here");
    answer(503, { code: "try_again", error: "Temporarily unavailable." });
    await expect(renewSession()).rejects.toMatchObject({ status: 503 });
    expect(sessionState.value).toBe("signed-in");
  });

  it("is renewed once for requests that need it at the same time", async () => {
    answer(200, { access_token: "a1", expires_in: 3600 });
    await resumeSession();
    fetched.mockReset();
    fetched.mockImplementation(async (path, init) => {
      if (path === "/v1/login") return Response.json({ access_token: "a2", expires_in: 3600 });
      const token = new Headers(init!.headers).get("authorization");
      return token === "Bearer a2" ? Response.json({}) : Response.json({ code: "unauthorized" }, { status: 401 });
    });
    await Promise.all([call("GET", "/v1/keys"), call("GET", "/v1/account"), call("GET", "/v1/usage")]);
    expect(fetched.mock.calls.filter(([path]) => path === "/v1/login")).toHaveLength(1);
  });

  it("is not known while the API cannot answer, and continues when it can", async () => {
    sessionState.value = "starting";
    answer(503, { code: "try_again", error: "Temporarily unavailable." });
    await resumeSession();
    expect(sessionState.value).toBe("unreachable");
    fetched.mockRejectedValueOnce(new TypeError("network"));
    await resumeSession();
    expect(sessionState.value).toBe("unreachable");
    answer(200, { access_token: "a1", expires_in: 3600 });
    await resumeSession();
    expect(sessionState.value).toBe("signed-in");
  });

  it("stays ended when a renewal that began before is answered after it", async () => {
    answer(200, { access_token: "a1", expires_in: 3600 });
    await resumeSession();
    let renewed = (_: Response): void => undefined;
    fetched.mockImplementationOnce(() => new Promise((resolve) => (renewed = resolve)));
    const renewal = renewSession();
    answer(200, { status: "logged_out" });
    await logOut();
    renewed(Response.json({ access_token: "a2", expires_in: 3600 }));
    expect([await renewal, sessionState.value]).toEqual([false, "signed-out"]);
  });

  it("outlives the rejected renewal of the session before it", async () => {
    answer(200, { access_token: "a1", expires_in: 3600 });
    await resumeSession();
    let rejected = (_: Response): void => undefined;
    fetched.mockImplementationOnce(() => new Promise((resolve) => (rejected = resolve)));
    const renewal = renewSession();
    answer(200, { access_token: "b1", expires_in: 3600 });
    await logIn("b@example.com", "secret-words-here");
    rejected(Response.json({ code: "no_session" }, { status: 401 }));
    expect([await renewal, sessionState.value]).toEqual([true, "signed-in"]);
  });

  it("is not shown as ended while its cookie could not be revoked", async () => {
    answer(200, { access_token: "a1", expires_in: 3600 });
    await resumeSession();
    fetched.mockRejectedValueOnce(new TypeError("network"));
    await expect(logOut()).rejects.toThrow("cannot be reached");
    expect(sessionState.value).toBe("signed-in");
    answer(200, { status: "logged_out" });
    await logOut();
    expect(sessionState.value).toBe("signed-out");
  });

  it("leaves no token in any storage, and none after logging out", async () => {
    answer(200, { access_token: "a-secret-token", expires_in: 3600 });
    await logIn("a@example.com", "secret-words-here");
    expect(JSON.stringify({ ...localStorage, ...sessionStorage }) + document.cookie + location.href).not.toContain(
      "a-secret",
    );
    answer(200, { status: "logged_out" });
    await logOut();
    expect(sessionState.value).toBe("signed-out");
    answer(401, {});
    await call("GET", "/v1/keys").catch(() => undefined);
    expect(new Headers(fetched.mock.lastCall![1]!.headers).has("authorization")).toBe(false);
  });
});
