import { signal } from "@preact/signals";
import { call, useTokens } from "../api/client";
import { ApiProblem } from "../api/problem";

/** "starting": it is not known yet whether this browser has a session; "unreachable": nor could the API be asked. */
export type SessionState = "starting" | "unreachable" | "signed-out" | "signed-in";

interface Tokens {
  access_token: string;
  expires_in: number;
}

const RENEW_BEFORE_SECONDS = 120;

export const sessionState = signal<SessionState>("starting");

/** Whether the session expired while the person was at the page. */
export const hasExpired = signal(false);

/** In memory only: the refresh token is in a cookie that no script can read. */
let accessToken: string | null = null;
let renewal: Promise<boolean> | null = null;
/** Counts sign-ins and sign-outs: the answer to a renewal that began before the last one is void. */
let generation = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
const tabs = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("astralog-session");

/** Continue the session of this browser, if it has one. Without an answer it is not known, and can be tried again. */
export async function resumeSession(): Promise<void> {
  useTokens({ token: () => accessToken, renew: renewSession });
  tabs?.addEventListener("message", forget);
  try {
    await renewSession();
  } catch {
    if (sessionState.value === "starting") sessionState.value = "unreachable";
  }
}

/** @throws ApiProblem, OfflineProblem */
export async function logIn(email: string, password: string): Promise<void> {
  const tokens = await call<Tokens>("POST", "/v1/login", { anonymous: true, body: { email, password, cookie: true } });
  generation += 1;
  accept(tokens);
}

/**
 * End the session in all tabs; with `everywhere`, every session of the person.
 *
 * @throws ApiProblem, OfflineProblem: the cookie is still valid, so the person is still signed in.
 */
export async function logOut(everywhere = false): Promise<void> {
  try {
    await call("POST", "/v1/logout", { body: { cookie: true, everywhere } });
  } catch (fault) {
    if (!isRejected(fault)) throw fault;
  }
  forget();
  tabs?.postMessage("signed-out");
}

/** Get a new access token with the cookie. Requests that need one at the same time share one renewal. */
export function renewSession(): Promise<boolean> {
  if (renewal) return renewal;
  const started = renew().finally(() => {
    if (renewal === started) renewal = null;
  });
  return (renewal = started);
}

async function renew(): Promise<boolean> {
  const began = generation;
  try {
    const tokens = await call<Tokens>("POST", "/v1/login", { anonymous: true, body: { cookie: true } });
    if (began === generation) accept(tokens);
  } catch (fault) {
    if (!isRejected(fault)) throw fault;
    if (began === generation) {
      hasExpired.value = accessToken !== null;
      forget();
    }
  }
  return accessToken !== null;
}

/** Whether the API says that there is no session; any other failure says nothing about it. */
function isRejected(fault: unknown): boolean {
  return fault instanceof ApiProblem && [400, 401, 403].includes(fault.status);
}

function accept(tokens: Tokens): void {
  accessToken = tokens.access_token;
  hasExpired.value = false;
  sessionState.value = "signed-in";
  clearTimeout(timer);
  const seconds = Math.max(30, tokens.expires_in - RENEW_BEFORE_SECONDS);
  timer = setTimeout(() => void renewSession().catch(() => undefined), seconds * 1000);
}

function forget(): void {
  clearTimeout(timer);
  generation += 1;
  renewal = null;
  accessToken = null;
  sessionState.value = "signed-out";
}
