import { effect } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
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
  /** Of a query with pipes, which makes a table instead of lines. */
  readonly table = new Loaded<Table>();
  readonly isTable: boolean;
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
    this.histogram.value.value = last.histogram.value.value;
    this.fields.value.value = last.fields.value.value;
  }

  /** Search, unless it has been done; the results of "back" are those that were left. */
  resume(): void {
    if (!this.started) void this.start();
  }

  /** Search now. An account runs few searches at a time, so the lines come first. */
  async start(): Promise<void> {
    this.started = true;
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

  get problem(): Error | null {
    return this.isTable ? this.table.problem.value : this.run.problem.value;
  }

  cancel(): void {
    if (this.isTable) this.table.cancel();
    else this.run.cancel();
  }

  compare(): void {
    const { from, to } = this.filter;
    const earlier = { ...this.filter, ...rangeBefore(from, to) };
    void this.before.load((signal) => readHistogram(earlier, SPLIT_BY, signal));
  }

  /** Stop the first page; one that is not there is searched again later. */
  leave(): void {
    if (!this.reading) return;
    this.cancel();
    this.started = false;
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

function keyOf(query: string, { from, to }: TimeRange): string {
  return JSON.stringify([query, from, to]);
}
