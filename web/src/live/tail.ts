import { signal } from "@preact/signals";
import { parse } from "lossless-json";
import { call } from "../api/client";
import { ApiProblem } from "../api/problem";
import { filterOf, searchEvents } from "../search/api";
import type { LogEvent } from "../search/event";

const MOST_EVENTS = 5000;
/** Kept while the person reads, so that no line moves. */
const MOST_WHILE_READING = 20_000;
const EARLIER = 100;
const EARLIER_RANGE = { from: "-15m", to: null };
const WAIT_SECONDS = 10;
const RATE_MS = 10_000;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;

interface TailPage {
  events: LogEvent[];
  cursor: string;
}

/** Follows the events of a filter: the newest ones last. Each event is shown once. */
export class Tail {
  readonly events = signal<LogEvent[]>([]);
  /** Whether it is known what was there before: without events, there was nothing. */
  readonly started = signal(false);
  /** What ended the tail, such as a query that is none. */
  readonly problem = signal<Error | null>(null);
  /** Whether the API cannot be reached; the tail continues by itself. */
  readonly waiting = signal<Error | null>(null);
  /** Whether events may have been missed: the cursor was too old. */
  readonly gap = signal(false);
  /** How many events came while the person was reading earlier ones. */
  readonly unseen = signal(0);
  private readonly arrivals: { at: number; count: number }[] = [];
  private readonly controller = new AbortController();
  private following = true;

  constructor(private readonly query: string) {}

  /** Follow until `stop`. Returns when the tail has ended. */
  async run(): Promise<void> {
    const { signal: ended } = this.controller;
    let cursor: string | null = null;
    /** Whether the events of before are shown; those that follow wait for them. */
    let begun = false;
    const held: LogEvent[] = [];
    let pause = FIRST_PAUSE_MS;
    while (!ended.aborted) {
      try {
        const page: TailPage = await this.read(cursor, begun ? WAIT_SECONDS : 0);
        if (ended.aborted) return;
        cursor = page.cursor;
        held.push(...page.events);
        if (!begun) await this.showEarlier();
        if (ended.aborted) return;
        begun = true;
        this.add(held.splice(0));
        this.started.value = true;
        this.waiting.value = null;
        pause = FIRST_PAUSE_MS;
      } catch (fault) {
        if (ended.aborted) return;
        if (isExpired(fault)) {
          cursor = null;
          begun = false;
          this.gap.value = true;
        } else if (isFinal(fault)) {
          this.problem.value = fault as Error;
          return;
        } else {
          this.waiting.value = fault as Error;
          await sleep(pauseOf(fault, pause), ended);
          pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
        }
      }
    }
  }

  stop(): void {
    this.controller.abort();
  }

  /** Whether the newest line is in view; while it is not, no line is dropped. */
  follow(following: boolean): void {
    this.following = following;
    if (following) {
      this.unseen.value = 0;
      if (this.events.value.length > MOST_EVENTS) this.events.value = this.events.value.slice(-MOST_EVENTS);
    }
  }

  /** Events a second over the last ten seconds. */
  rate(now: number): number {
    while (this.arrivals.length > 0 && this.arrivals[0]!.at < now - RATE_MS) this.arrivals.shift();
    return this.arrivals.reduce((sum, { count }) => sum + count, 0) / (RATE_MS / 1000);
  }

  private read(cursor: string | null, wait: number): Promise<TailPage> {
    const query = { q: this.query || undefined, cursor: cursor ?? undefined, wait };
    return call<TailPage>("GET", "/v1/tail", { query: defined(query), signal: this.controller.signal, parse });
  }

  /** The newest events of before, so that the page does not begin empty. */
  private async showEarlier(): Promise<void> {
    const body = { ...filterOf(this.query, EARLIER_RANGE, Date.now()), limit: EARLIER };
    const page = await searchEvents(body, null, this.controller.signal);
    const known = new Set(this.events.value.map((event) => event.id));
    const earlier = page.events.reverse().filter((event) => event.id === null || !known.has(event.id));
    this.events.value = [...this.events.value, ...earlier];
  }

  private add(events: LogEvent[]): void {
    const known = new Set(this.events.value.slice(-EARLIER).map((event) => event.id));
    const fresh = events.filter((event) => !event.id || !known.has(event.id));
    if (fresh.length === 0) return;
    this.arrivals.push({ at: Date.now(), count: fresh.length });
    const most = this.following ? MOST_EVENTS : MOST_WHILE_READING;
    this.events.value = [...this.events.value, ...fresh].slice(-most);
    if (!this.following) this.unseen.value += fresh.length;
  }
}

function isExpired(fault: unknown): boolean {
  return fault instanceof ApiProblem && fault.code === "cursor_expired";
}

/** Whether the same request fails again, however often it is sent. */
function isFinal(fault: unknown): boolean {
  return fault instanceof ApiProblem && fault.status < 500 && fault.status !== 429 && fault.status !== 408;
}

function pauseOf(fault: unknown, pause: number): number {
  const seconds = fault instanceof ApiProblem ? fault.retryAfterSeconds : null;
  return Math.max(pause, (seconds ?? 0) * 1000);
}

function sleep(ms: number, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    ended.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}

function defined(query: Record<string, string | number | undefined>): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(query).filter((pair): pair is [string, string | number] => pair[1] !== undefined),
  );
}
