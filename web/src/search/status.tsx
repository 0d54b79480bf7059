import { useEffect, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { filterText } from "./query-text";
import type { View } from "./address";
import { changeText } from "./histogram-shape";
import { lengthMs, lengthName } from "./range";
import type { Searching } from "./searching";

const SLOW_MS = 3000;
const numbers = new Intl.NumberFormat();

export interface StatusProps {
  searching: Searching;
  view: View;
  onView(view: View): void;
  compare: boolean;
  wrap: boolean;
  onCompare(): void;
  onWrap(): void;
  onSaved(): void;
  onExport(): void;
  onHelp(): void;
}

/** One line: how many events, what they cost to find; what is being read while it takes long; how they are shown. */
export function Status(props: StatusProps) {
  const { searching, view, compare, wrap, onView, onCompare, onWrap, onSaved, onExport, onHelp } = props;
  const { run, range } = searching;
  const loading = searching.reading || run.phase.value === "more";
  const slow = useSlow(loading);
  const length = lengthName(lengthMs(range, Date.now()));
  return (
    <div class="status">
      <span role="status" class="count">
        {slow ? <Slow searching={searching} length={length} /> : <Count searching={searching} />}
      </span>
      <span class="views">
        <button
          type="button"
          class="button plain small"
          aria-pressed={view === "lines"}
          onClick={() => onView("lines")}
        >
          {searching.isTable ? "Table" : "Lines"}
        </button>
        <button
          type="button"
          class="button plain small"
          aria-pressed={view === "patterns"}
          onClick={() => onView("patterns")}
        >
          Patterns
        </button>
        <Link class="button plain small" href={liveAddress(searching.query)}>
          Live
        </Link>
        <button type="button" class="button plain small" aria-pressed={compare} onClick={onCompare}>
          Compare<span class="wide"> with {length} before</span>
        </button>
        <button type="button" class="button plain small wrap-choice" aria-pressed={wrap} onClick={onWrap}>
          Wrap
        </button>
        <button type="button" class="button plain small" aria-haspopup="dialog" onClick={onSaved}>
          Save<span class="wide"> or open</span>
        </button>
        <button type="button" class="button plain small" aria-haspopup="dialog" onClick={onExport}>
          Export
        </button>
        <button type="button" class="button plain small help" onClick={onHelp}>
          ? keys
        </button>
      </span>
      {loading && <div class="progress" aria-hidden="true" />}
    </div>
  );
}

function liveAddress(query: string): string {
  const filter = filterText(query);
  return filter ? `/live?${new URLSearchParams({ q: filter })}` : "/live";
}

function Slow({ searching, length }: { searching: Searching; length: string }) {
  return (
    <>
      Still reading {length} of events{searching.query && " for the query"}.{" "}
      <button type="button" class="button small" onClick={() => searching.cancel()}>
        Cancel
      </button>
    </>
  );
}

/** The exact count when the histogram is there, until then that of the loaded lines. */
function Count({ searching }: { searching: Searching }) {
  const { run, histogram, before, table } = searching;
  const stats = searching.isTable ? table.value.value?.stats : run.stats.value;
  if (!stats) return null;
  const cost = `${numbers.format(Math.round(stats.elapsed_ms))} ms · ${numbers.format(stats.rows_read)} rows read`;
  const { rows } = table.value.value ?? { rows: [] };
  if (searching.isTable)
    return <Counted count={numbers.format(rows.length)} of={rows.length === 1 ? "row" : "rows"} rest={cost} />;
  const isCounted = histogram.value.value !== null && !histogram.stale.value && !searching.reading;
  const loaded = run.events.value.length;
  const total = isCounted ? histogram.value.value!.total : loaded;
  const earlier = before.value.value?.total;
  const change =
    isCounted && earlier !== undefined ? ` (${numbers.format(earlier)} before, ${changeText(total, earlier)})` : "";
  const more = !isCounted && run.hasMore.value ? "+" : "";
  return (
    <Counted count={numbers.format(total) + more} of={`${total === 1 ? "event" : "events"}${change}`} rest={cost} />
  );
}

function Counted({ count, of, rest }: { count: string; of: string; rest: string }) {
  return (
    <>
      <b>{count}</b> {of} · {rest}
    </>
  );
}

function useSlow(loading: boolean): boolean {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    if (!loading) return setSlow(false);
    const timer = setTimeout(() => setSlow(true), SLOW_MS);
    return () => clearTimeout(timer);
  }, [loading]);
  return slow;
}
