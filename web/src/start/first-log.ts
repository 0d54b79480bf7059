import { call } from "../api/client";

export interface FirstLog {
  timestamp: string;
  level: string;
  service: string;
  message: string;
}

const FIRST_PAUSE_MS = 1500;
const LONGEST_PAUSE_MS = 15_000;
const GROWTH = 1.2;

/**
 * Wait for a log of the account that was received after `since`.
 *
 * It asks after 1.5 s and then ever less often, down to every 15 s; not while the page is hidden, and at once when it
 * is shown again.
 */
export async function waitForLog(since: Date, signal: AbortSignal, firstPauseMs = FIRST_PAUSE_MS): Promise<FirstLog> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * GROWTH, LONGEST_PAUSE_MS)) {
    if (document.hidden) {
      await shown(signal);
      pauseMs = firstPauseMs;
    }
    try {
      const found = await call<{ events: FirstLog[] }>("POST", "/v1/search", {
        signal,
        body: { from: since.toISOString(), limit: 1 },
      });
      if (found.events[0]) return found.events[0];
    } catch (fault) {
      if (signal.aborted) throw fault;
    }
    await pause(pauseMs, signal);
  }
}

/** Resolves after `ms`, or when the page is hidden; rejects when `signal` is aborted. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return settled(signal, (resolve) => {
    const timer = setTimeout(resolve, ms);
    document.addEventListener("visibilitychange", resolve);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", resolve);
    };
  });
}

/** Resolves when the hidden page is shown. */
function shown(signal: AbortSignal): Promise<void> {
  return settled(signal, (resolve) => {
    const look = () => !document.hidden && resolve();
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  });
}

/** `start` begins to wait and returns what ends it; rejects as soon as `signal` is aborted. */
function settled(signal: AbortSignal, start: (resolve: () => void) => () => void): Promise<void> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const end = start(done);
    signal.addEventListener("abort", stop, { once: true });
    function done(): void {
      signal.removeEventListener("abort", stop);
      end();
      resolve();
    }
    function stop(): void {
      end();
      reject(new DOMException("stopped", "AbortError"));
    }
  });
}
