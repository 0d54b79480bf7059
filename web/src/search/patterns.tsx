import { Fragment } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { Problem } from "../controls/problem";
import { Skeleton } from "../controls/skeleton";
import { readPatterns, type Filter, type Pattern, type Patterns as Page } from "./api";
import { LEVELS, type LogEvent } from "./event";
import { firstLine } from "./first-line";
import { changeText } from "./histogram-shape";
import { Loaded } from "./loaded";
import { Marked } from "./marked";
import { lineTime } from "./range";

const numbers = new Intl.NumberFormat();
const percent = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });
const CHANGES = { new: "new", gone: "gone", risen: "risen", fallen: "fallen", same: "" } as const;

export interface PatternsProps {
  filter: Filter;
  compare: boolean;
  /** Narrow the query to a pattern. */
  onFilter(query: string): void;
  onOpen(event: LogEvent): void;
}

/** The templates of the messages, how often each occurs, and how that changed. */
export function Patterns({ filter, compare, onFilter, onOpen }: PatternsProps) {
  const loaded = useMemo(() => new Loaded<Page>(), []);
  useEffect(() => void loaded.load((signal) => readPatterns(filter, compare, signal)), [loaded, filter, compare]);
  useEffect(() => () => loaded.clear(), [loaded]);
  const page = loaded.value.value;
  return (
    <div class={page && loaded.loading.value ? "patterns stale" : "patterns"}>
      <Problem problem={loaded.problem.value} />
      {page === null && loaded.loading.value && <Skeleton lines={12} />}
      {page?.patterns.length === 0 && <p class="dim">No events, so no patterns.</p>}
      {page && page.patterns.length > 0 && (
        <ol>
          {page.patterns.map((pattern) => (
            <PatternRow key={pattern.template} pattern={pattern} onFilter={onFilter} onOpen={onOpen} />
          ))}
        </ol>
      )}
      {page && page.rows > page.sampled_rows && (
        <p class="faint">
          Counts are estimates from {numbers.format(page.sampled_rows)} of {numbers.format(page.rows)} events.
        </p>
      )}
    </div>
  );
}

interface RowProps {
  pattern: Pattern;
  onFilter(query: string): void;
  onOpen(event: LogEvent): void;
}

function PatternRow({ pattern, onFilter, onOpen }: RowProps) {
  const { template, count, share, query, examples, before, change } = pattern;
  const level = examples[0] && LEVELS.includes(examples[0].level) ? examples[0].level : "info";
  return (
    <li class="pattern">
      <i class={`level ${level}`} />
      <span class="pattern-count">{numbers.format(count)}</span>
      <span class="pattern-share" title={percent.format(share)}>
        <i class={`share ${level}`} style={{ width: `${Math.max(share * 100, 1)}%` }} />
      </span>
      <span class={`pattern-change ${change ?? ""}`}>
        {change && CHANGES[change]} {before !== null && change !== "new" && changeText(count, before)}
      </span>
      <details>
        <summary>
          {template.split("<*>").map((part, index) => (
            <Fragment key={index}>
              {index > 0 && <span class="varies">&lt;*&gt;</span>}
              <Marked text={part} />
            </Fragment>
          ))}
        </summary>
        <ul>
          {examples.map((event, index) => (
            <li key={event.id ?? index}>
              <button type="button" onClick={() => onOpen(event)}>
                <time>{lineTime(event.timestamp, true)}</time>{" "}
                <span class="dim">
                  <Marked text={event.service} />
                </span>{" "}
                <Marked text={firstLine(event.message).first} />
              </button>
            </li>
          ))}
        </ul>
      </details>
      {query !== null && (
        <span class="row pattern-actions">
          <button type="button" class="button plain small" onClick={() => onFilter(query)}>
            Show
          </button>
          <button
            type="button"
            class="button plain small"
            onClick={() => onFilter(`-${query}`)}
            disabled={!isOneCondition(query)}
          >
            Exclude
          </button>
        </span>
      )}
    </li>
  );
}

/** Whether a minus in front negates all of it. */
function isOneCondition(query: string): boolean {
  return /^(?:[^\s"()]|"(?:[^"\\]|\\.)*")+$/.test(query);
}
