import { useEffect, useState } from "preact/hooks";
import type { SearchRun } from "./run";

const SLOW_MS = 3000;
const numbers = new Intl.NumberFormat();

/** One line: how many events, what they cost to find; what is being read while it takes long. */
export function Status({ run, onHelp }: { run: SearchRun; onHelp(): void }) {
  const loading = run.phase.value === "first-page" || run.phase.value === "more";
  const slow = useSlow(loading);
  const { value: stats } = run.stats;
  return (
    <div class="status">
      <span role="status">
        {slow ? (
          <>
            Still reading.{" "}
            <button type="button" class="button small" onClick={() => run.cancel()}>
              Cancel
            </button>
          </>
        ) : (
          stats && (
            <>
              <b>
                {numbers.format(run.events.value.length)}
                {run.hasMore.value ? "+" : ""}
              </b>{" "}
              events · {numbers.format(Math.round(stats.elapsed_ms))} ms · {numbers.format(stats.rows_read)} rows read
            </>
          )
        )}
      </span>
      <button type="button" class="button plain small help" onClick={onHelp}>
        ? keys
      </button>
      {loading && <div class="progress" aria-hidden="true" />}
    </div>
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
