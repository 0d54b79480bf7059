import { render } from "preact";
import { act } from "preact/test-utils";
import { beforeEach, expect, it, vi } from "vitest";
import { App } from "../app/app";
import { useTokens } from "../api/client";
import { sessionState } from "../session/session";

const page = document.createElement("div");
const fetched = vi.fn<typeof fetch>();
const RECEIPT = {
  number: 17,
  previous: "p".repeat(64),
  hash: "h".repeat(64),
  kind: "account",
  account: "a".repeat(64),
  person: null,
  requested_at: "2026-11-20T00:00:00Z",
  verified_at: "2026-11-28T00:00:00Z",
  backups_until: "2027-01-02T00:00:00Z",
  counts: { rows: 81234 },
};
const ERASURE = {
  id: "era_1",
  kind: "account",
  state: "verified",
  requested_at: "2026-11-20T00:00:00Z",
  starts_at: "2026-11-27T00:00:00Z",
  due_by: "2026-12-20T00:00:00Z",
  receipt: RECEIPT,
};

async function open(answer: Response): Promise<void> {
  fetched.mockReset().mockImplementation(async () => answer);
  vi.stubGlobal("fetch", fetched);
  render(null, page);
  document.body.replaceChildren(page);
  history.replaceState(null, "", "/erasures/era_1");
  await act(async () => render(<App />, page));
  await vi.waitFor(() => expect(page.querySelector("h1")).not.toBeNull());
  await vi.waitFor(() => expect(page.querySelector("[aria-busy=true], .skeleton")).toBeNull());
}

beforeEach(() => useTokens({ token: () => null, renew: async () => false }));

it.each(["signed-out", "starting", "unreachable"] as const)(
  "a link of a mail shows the receipt to a person who is %s",
  async (state) => {
    sessionState.value = state;
    await open(Response.json(ERASURE));
    await vi.waitFor(() => expect(page.textContent).toContain("81,234"));
    expect(page.textContent).toContain("era_1");
    expect(page.textContent).toContain(RECEIPT.hash);
  },
);

it("the session of another account is not sent: the id alone is asked for", async () => {
  useTokens({ token: () => "a token of globex", renew: async () => true });
  sessionState.value = "signed-in";
  await open(Response.json({ ...ERASURE, state: "requested", receipt: null }));
  await vi.waitFor(() => expect(page.textContent).toContain("requested"));
  expect(page.querySelector("nav a")!.textContent).toBe("Sign in to cancel it");
  const [path, init] = fetched.mock.calls.find(([asked]) => String(asked).includes("erasures"))!;
  expect(String(path)).toContain("/v1/erasures/era_1");
  expect(new Headers(init!.headers).has("authorization")).toBe(false);
});

it("says so when there is no such erasure", async () => {
  sessionState.value = "signed-out";
  await open(Response.json({ code: "unauthorized", message: "A key is needed." }, { status: 401 }));
  await vi.waitFor(() => expect(page.textContent).toContain("No erasure has this link"));
});
