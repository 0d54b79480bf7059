import { ApiProblem, OfflineProblem, problemOf } from "./problem";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface Options {
  body?: unknown;
  query?: Record<string, string | number | undefined>;
  signal?: AbortSignal;
  /** Without the access token, and without renewing it. */
  anonymous?: boolean;
  /** Reads the body of a 2xx; the default is JSON.parse. */
  parse?: (text: string) => unknown;
}

/** Where the access token comes from; `src/session` sets it, so that this module knows no session. */
export interface TokenSource {
  token(): string | null;
  /** Gets a new token; false if the session has ended. */
  renew(): Promise<boolean>;
}

const BUSY_RETRIES = 8;

let source: TokenSource = { token: () => null, renew: async () => false };

export function useTokens(tokens: TokenSource): void {
  source = tokens;
}

/**
 * One request to the API of this origin, with the access token if there is one.
 *
 * A 401 renews the token once and repeats the request. While the account runs its maximum of searches, it waits and
 * asks again: a page that was just left may still occupy them.
 *
 * @throws ApiProblem for a response that is not 2xx; OfflineProblem without a whole response of the API; AbortError.
 */
export async function call<T>(method: Method, path: string, options: Options = {}): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await request<T>(method, path, options);
    } catch (fault) {
      const busy = fault instanceof ApiProblem && fault.code === "too_many_searches";
      if (!busy || attempt === BUSY_RETRIES) throw fault;
      const seconds = fault.retryAfterSeconds ?? 1;
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000 * (0.5 + Math.random() / 2)));
      options.signal?.throwIfAborted();
    }
  }
}

async function request<T>(method: Method, path: string, options: Options): Promise<T> {
  let response = await send(method, path, options);
  if (response.status === 401 && !options.anonymous && source.token() !== null && (await source.renew())) {
    response = await send(method, path, options);
  }
  if (!response.ok) throw await problemOf(response);
  return (await bodyOf(response, options.parse ?? JSON.parse)) as T;
}

/** The parsed body; one that broke off, or that is no JSON, did not come from the API. */
async function bodyOf(response: Response, parse: (text: string) => unknown): Promise<unknown> {
  try {
    const text = await response.text();
    return text === "" ? null : parse(text);
  } catch (fault) {
    throw isAbort(fault) ? fault : new OfflineProblem();
  }
}

function isAbort(fault: unknown): boolean {
  return fault instanceof DOMException && fault.name === "AbortError";
}

async function send(method: Method, path: string, options: Options): Promise<Response> {
  const headers = new Headers();
  const token = options.anonymous ? null : source.token();
  if (token !== null) headers.set("authorization", `Bearer ${token}`);
  if (options.body !== undefined) headers.set("content-type", "application/json");
  try {
    return await fetch(path + queryText(options.query), {
      method,
      headers,
      credentials: "same-origin",
      redirect: "error",
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      ...(options.signal ? { signal: options.signal } : {}),
    });
  } catch (fault) {
    throw isAbort(fault) ? fault : new OfflineProblem();
  }
}

function queryText(query: Options["query"]): string {
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  return pairs.length === 0 ? "" : `?${new URLSearchParams(pairs.map(([name, value]) => [name, String(value)]))}`;
}
