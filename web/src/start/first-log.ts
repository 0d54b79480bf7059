import { call } from "../api/client";

export interface FirstLog {
  timestamp: string;
  level: string;
  service: string;
  message: string;
}

const EVERY_MS = 1500;

/**
 * Wait for a log of the account that was received after `since`.
 *
 * It asks every 1.5 s, and less often while the service rejects or cannot be reached.
 */
export async function waitForLog(since: Date, signal: AbortSignal, everyMs = EVERY_MS): Promise<FirstLog> {
  for (let failures = 0; ;) {
    try {
      const found = await call<{ events: FirstLog[] }>("POST", "/v1/search", {
        signal,
        body: { from: since.toISOString(), limit: 1 },
      });
      if (found.events[0]) return found.events[0];
      failures = 0;
    } catch (fault) {
      if (signal.aborted) throw fault;
      failures = Math.min(failures + 1, 5);
    }
    await pause(everyMs * 2 ** failures, signal);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", stop, { once: true });
    function done(): void {
      signal.removeEventListener("abort", stop);
      resolve();
    }
    function stop(): void {
      clearTimeout(timer);
      reject(new DOMException("stopped", "AbortError"));
    }
  });
}
