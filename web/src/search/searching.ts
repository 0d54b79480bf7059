import { effect, signal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { zone } from "../controls/zone";
import { sessionState } from "../session/session";
import {
  filterOf,
  PAGE_SIZE,
  readFields,
  readHistogram,
  readTable,
  type Fields,
  type Filter,
  type Histogram,
  type Table,
} from "./api";
import { Loaded } from "./loaded";
import { filterText, hasPipes } from "./query-text";
import { rangeBefore, type TimeRange } from "./range";
import { SearchRun } from "./run";

const KEPT = 5;
export const SPLIT_BY = "level";

/** One search with what the page shows of it: lines, histogram, fields. All have the same filter and times. */
export class Searching {
  readonly run = new SearchRun();
  readonly histogram = new Loaded<Histogram>();
  /** The histogram of the range before, while the page compares. */
  readonly before = new Loaded<Histogram>();
  readonly fields = new Loaded<Fields>();
  /** The result of a query with pipes, which makes a table instead of lines. */
  readonly table = new Loaded<Table>();
  readonly isTable: boolean;
  /** Whether the person stopped it before its results were there. */
  readonly cancelled = signal(false);
  filter: Filter;
  private started = false;

  /** @param last is shown until the first page is there, so that nothing jumps. */
  constructor(
    readonly query: string,
    readonly range: TimeRange,
    last: Searching | null,
  ) {
    this.isTable = hasPipes(query);
    this.filter = filterOf(filterText(query), range, Date.now());
    if (last === null) return;
    if (!this.isTable) this.run.events.value = last.run.events.value;
    this.histogram.inherit(last.histogram.value.value);
    this.fields.inherit(last.fields.value.value);
  }

  /** Search, unless it has been done; the results of "back" are those that were left. */
  resume(): void {
    if (!this.started) void this.start();
  }

  /** Search now. An account runs few searches at a time, so the lines come first. */
  async start(): Promise<void> {
    this.started = true;
    this.cancelled.value = false;
    const began = (this.filter = filterOf(filterText(this.query), this.range, Date.now()));
    this.before.clear();
    if (!(await this.readResults(began)) || began !== this.filter) return;
    void this.histogram.load((signal) => readHistogram(began, SPLIT_BY, signal));
    void this.fields.load((signal) => readFields(began, signal));
  }

  /** Read the table or the first page of lines; whether they came. */
  private async readResults(filter: Filter): Promise<boolean> {
    if (!this.isTable) return this.run.start({ ...filter, limit: PAGE_SIZE });
    await this.table.load((signal) => readTable({ ...filter, query: this.query }, signal));
    return this.table.problem.value === null;
  }

  /** Whether the results are being read, and those that are shown are of the search before. */
  get reading(): boolean {
    return this.isTable ? this.table.loading.value : this.run.phase.value === "first-page";
  }

  /** Whether the results are there, be it from an earlier time of the same search. */
  get hasResults(): boolean {
    return this.isTable ? this.table.value.value !== null : this.run.isOwn.value;
  }

  /** Whether what is shown is not the answer: of the search before, or of an earlier time. */
  get stale(): boolean {
    return this.reading || !this.hasResults;
  }

  get problem(): Error | null {
    return this.isTable ? this.table.problem.value : this.run.problem.value;
  }

  cancel(): void {
    this.stop();
    this.cancelled.value = true;
  }

  /** Try again what failed: the next page, or the search. */
  retry(): void {
    if (this.run.hasMore.value) void this.run.more();
    else void this.start();
  }

  compare(): void {
    const { from, to } = this.filter;
    const earlier = { ...this.filter, ...rangeBefore(from, to) };
    void this.before.load((signal) => readHistogram(earlier, SPLIT_BY, signal));
  }

  /** Stop the first page; one that is not there is searched again later. */
  leave(): void {
    if (!this.reading) return;
    this.stop();
    this.started = false;
  }

  private stop(): void {
    if (this.isTable) this.table.cancel();
    else this.run.cancel();
  }
}

const kept = new Map<string, Searching>();

// Another person may sign in in this tab: nothing of the last one stays.
effect(() => {
  if (sessionState.value === "signed-out") kept.clear();
});

/** Forget the results of a search, so that it is searched anew. */
export function discardResults(query: string, range: TimeRange): void {
  kept.delete(keyOf(query, range));
}

/** Whether two searches are the same one, and share their results. */
export function isSameSearch(query: string, range: TimeRange, otherQuery: string, otherRange: TimeRange): boolean {
  return keyOf(query, range) === keyOf(otherQuery, otherRange);
}

/** The search of the address; the last KEPT searches keep their results for "back" and "forward". */
export function useSearching(query: string, range: TimeRange): Searching {
  const last = useRef<Searching | null>(null);
  const key = keyOf(query, range);
  const searching = useMemo(() => {
    const found = kept.get(key) ?? new Searching(query, range, last.current);
    kept.delete(key);
    kept.set(key, found);
    if (kept.size > KEPT) kept.delete(kept.keys().next().value!);
    return (last.current = found);
  }, [key]);
  useEffect(() => {
    searching.resume();
    return () => searching.leave();
  }, [searching]);
  return searching;
}

/** With the zone, in which days begin. */
function keyOf(query: string, { from, to }: TimeRange): string {
  return JSON.stringify([query, from, to, zone.value]);
}
