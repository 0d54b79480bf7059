import { signal } from "@preact/signals";
import { searchEvents, type SearchBody, type SearchPage } from "./api";
import type { LogEvent } from "./event";

export type Phase = "idle" | "first-page" | "more" | "done";

/** One search and its pages: what a page of results shows of it. A new search replaces the last one. */
export class SearchRun {
  readonly phase = signal<Phase>("idle");
  readonly events = signal<LogEvent[]>([]);
  /** Whether the events are of this search; until its first page is there, they are of the search before. */
  readonly isOwn = signal(false);
  readonly problem = signal<Error | null>(null);
  readonly stats = signal<SearchPage["stats"] | null>(null);
  /** Whether there are more events than those that are loaded. */
  readonly hasMore = signal(false);

  private body: SearchBody | null = null;
  private cursor: string | null = null;
  private running: AbortController | null = null;

  /** Start a search; the events of the last one stay until the first page is there. Whether it came. */
  async start(body: SearchBody): Promise<boolean> {
    this.body = body;
    this.cursor = null;
    this.hasMore.value = false;
    const page = await this.load("first-page");
    if (page) {
      this.events.value = page.events;
      this.isOwn.value = true;
    }
    return page !== null;
  }

  /** Load the next page, unless it is being loaded or there is none. */
  async more(): Promise<void> {
    if (!this.hasMore.value || this.phase.value !== "done") return;
    const page = await this.load("more");
    if (page) this.events.value = [...this.events.value, ...page.events];
  }

  cancel(): void {
    this.running?.abort();
    this.phase.value = "done";
  }

  private async load(phase: Phase): Promise<SearchPage | null> {
    this.running?.abort();
    const controller = (this.running = new AbortController());
    this.phase.value = phase;
    this.problem.value = null;
    try {
      const page = await searchEvents(this.body!, this.cursor, controller.signal);
      if (controller.signal.aborted) return null;
      this.cursor = page.next_cursor;
      this.hasMore.value = page.next_cursor !== null;
      this.stats.value = page.stats;
      this.phase.value = "done";
      return page;
    } catch (fault) {
      if (controller.signal.aborted) return null;
      this.problem.value = fault instanceof Error ? fault : new Error(String(fault));
      this.phase.value = "done";
      return null;
    }
  }
}
