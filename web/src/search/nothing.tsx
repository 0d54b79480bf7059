import { useEffect, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { counted } from "../controls/format";
import { filterOf, readHistogram } from "./api";
import type { Go } from "./address";
import { inTurn } from "./loaded";
import { conditionsOf, without } from "./query-text";
import { Rejecting } from "../usage/rejecting";
import { wider, type TimeRange } from "./range";

const MOST_TRIED = 4;

interface Hint {
  text: string;
  count: number;
  to: { query?: string; range?: TimeRange };
}

/** No event matches: what would, with one condition less or in a wider range. */
export function Nothing({ query, range, go }: { query: string; range: TimeRange; go: Go }) {
  const hints = useHints(query, range);
  return (
    <div class="nothing stack">
      <Rejecting />
      <p>{query ? "No event matches in this range." : "No events in this range."}</p>
      {hints.length > 0 && (
        <ul class="hints">
          {hints.map((hint) => (
            <li key={hint.text}>
              <button type="button" class="button" onClick={() => go(hint.to)}>
                {hint.text} <b>{counted(hint.count, "event")}</b>
              </button>
            </li>
          ))}
        </ul>
      )}
      {!query && (
        <p class="dim">
          Not sent anything yet? <Link href="/start">Get started</Link> has a key and a command for you.
        </p>
      )}
    </div>
  );
}

/** What would match, one after the other: an account runs few searches at a time. */
function useHints(query: string, range: TimeRange): Hint[] {
  const [hints, setHints] = useState<Hint[]>([]);
  useEffect(() => {
    const controller = new AbortController();
    const read = async () => {
      for (const candidate of candidates(query, range)) {
        const { query: text = query, range: times = range } = candidate.to;
        const filter = filterOf(text, times, Date.now());
        const { total } = await inTurn((signal) => readHistogram(filter, "level", signal), controller.signal);
        if (total > 0) setHints((last) => [...last, { ...candidate, count: total }]);
      }
    };
    setHints([]);
    // Hints are an offer: without them the page still says that nothing matches.
    read().catch(() => undefined);
    return () => controller.abort();
  }, [query, range]);
  return hints;
}

function candidates(query: string, range: TimeRange): Omit<Hint, "count">[] {
  const conditions = conditionsOf(query);
  const fewer = conditions.length > 1 ? conditions.slice(-MOST_TRIED).reverse() : [];
  const found: Omit<Hint, "count">[] = fewer.map((each) => ({
    text: `Without ${each}:`,
    to: { query: without(query, each) },
  }));
  for (let next = wider(range, Date.now()); next; next = wider(next, Date.now())) {
    found.push({ text: `In ${rangeWords(next.from)}:`, to: { range: next } });
  }
  if (query) found.push({ text: "Every event of this range:", to: { query: "" } });
  return found;
}

function rangeWords(from: string): string {
  const [, count, unit] = /^-(\d+)([mhd])$/.exec(from)!;
  const names = { m: "minutes", h: "hours", d: "days" } as const;
  return `the last ${count} ${names[unit as keyof typeof names]}`;
}
