import { signal } from "@preact/signals";
import { call, useTokens } from "../api/client";
import { ApiProblem } from "../api/problem";

/** "starting": it is not known yet whether this browser has a session. */
export type SessionState = "starting" | "signed-out" | "signed-in";

interface Tokens {
  access_token: string;
  expires_in: number;
}

const RENEW_BEFORE_SECONDS = 120;

export const sessionState = signal<SessionState>("starting");

/** In memory only: the refresh token is in a cookie that no script can read. */
let accessToken: string | null = null;
let renewal: Promise<boolean> | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;
const tabs = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("astralog-session");

/** Continue the session of this browser, if it has one. */
export async function resumeSession(): Promise<void> {
  useTokens({ token: () => accessToken, renew: renewSession });
  tabs?.addEventListener("message", () => forget());
  if (!(await renewSession())) forget();
}

/** @throws ApiProblem, OfflineProblem */
export async function logIn(email: string, password: string): Promise<void> {
  accept(await call<Tokens>("POST", "/v1/login", { anonymous: true, body: { email, password, cookie: true } }));
}

/** End the session in all tabs; with `everywhere`, every session of the person. */
export async function logOut(everywhere = false): Promise<void> {
  try {
    await call("POST", "/v1/logout", { body: { cookie: true, everywhere } });
  } finally {
    forget();
    tabs?.postMessage("signed-out");
  }
}

/** Get a new access token with the cookie. Requests that need one at the same time share one renewal. */
export function renewSession(): Promise<boolean> {
  renewal ??= renew().finally(() => (renewal = null));
  return renewal;
}

async function renew(): Promise<boolean> {
  try {
    accept(await call<Tokens>("POST", "/v1/login", { anonymous: true, body: { cookie: true } }));
    return true;
  } catch (fault) {
    if (fault instanceof ApiProblem && [400, 401, 403].includes(fault.status)) {
      forget();
      return false;
    }
    throw fault;
  }
}

function accept(tokens: Tokens): void {
  accessToken = tokens.access_token;
  sessionState.value = "signed-in";
  clearTimeout(timer);
  const seconds = Math.max(30, tokens.expires_in - RENEW_BEFORE_SECONDS);
  timer = setTimeout(() => void renewSession().catch(() => undefined), seconds * 1000);
}

function forget(): void {
  clearTimeout(timer);
  accessToken = null;
  sessionState.value = "signed-out";
}
