import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { ApiProblem } from "../api/problem";
import { Problem } from "../controls/problem";
import { useAddress } from "./address";
import { searchBody } from "./api";
import { EventPanel } from "./event-panel";
import { KeyHelp, useKeys, type KeyAction } from "./keys";
import { Lines } from "./lines";
import { markedWords, narrowed } from "./query-text";
import { lengthMs, wider } from "./range";
import { RangePicker } from "./range-picker";
import { SearchRun } from "./run";
import { Status } from "./status";
import "./search.css";

const DAY_MS = 86_400_000;

export function SearchPage() {
  const [{ query, range }, go] = useAddress();
  const run = useMemo(() => new SearchRun(), []);
  const [selected, setSelected] = useState<number | null>(null);
  const [open, setOpen] = useState(false);
  const [help, setHelp] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const words = useMemo(() => markedWords(query), [query]);
  const events = run.events.value;
  const event = selected === null ? undefined : events[selected];

  const search = useCallback(() => {
    setSelected(null);
    void run.start(searchBody(query, range, Date.now()));
  }, [run, query, range]);

  useEffect(() => {
    document.title = `${query || "Search"} · AstraLog`;
    if (input.current) input.current.value = query;
    search();
    return () => run.cancel();
  }, [run, query, search]);

  function submit(text: string): void {
    if (text.trim() === query) search();
    else go({ query: text.trim() });
  }

  function move(by: number): void {
    const { length } = run.events.value;
    if (length > 0) setSelected((last) => clamp((last ?? -1) + by, length));
  }

  const actions: KeyAction[] = [
    { key: "/", does: "write the query", run: () => input.current?.focus() },
    { key: "j", does: "the next line", run: () => move(1) },
    { key: "k", does: "the line before", run: () => move(-1) },
    { key: "Enter", does: "open the line beside", run: () => setOpen(true) },
    { key: "Escape", does: "close the line", run: () => setOpen(false) },
    { key: "r", does: "search again", run: search },
    { key: "?", does: "this help", run: () => setHelp(true) },
  ];
  useKeys(actions);

  return (
    <div class="search">
      <form
        class="bar"
        role="search"
        onSubmit={(submitted) => {
          submitted.preventDefault();
          submit(input.current?.value ?? "");
        }}
      >
        <input
          ref={input}
          class="input query"
          aria-label="Query"
          placeholder='level:error service:checkout "timed out"'
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          defaultValue={query}
          onKeyDown={(pressed) => pressed.key === "Escape" && input.current?.blur()}
        />
        <RangePicker range={range} onChoose={(chosen) => go({ range: chosen })} />
        <button class="button primary">Search</button>
      </form>
      <Status run={run} onHelp={() => setHelp(true)} />
      <div class={open && event ? "body with-event" : "body"}>
        <section class="results" aria-label="Results">
          <QueryProblem run={run} query={query} retry={search} />
          {events.length > 0 ? (
            <Lines
              events={events}
              selected={selected}
              words={words}
              withDay={lengthMs(range, Date.now()) > DAY_MS}
              onSelect={(index) => {
                setSelected(index);
                setOpen(true);
              }}
              onNearEnd={() => void run.more()}
            />
          ) : (
            run.phase.value === "done" &&
            !run.problem.value && <Nothing query={query} widen={wider(range, Date.now())} go={go} />
          )}
        </section>
        {open && event && (
          <EventPanel
            event={event}
            words={words}
            onFilter={(filter) => go({ query: narrowed(query, filter) })}
            onClose={() => setOpen(false)}
          />
        )}
      </div>
      {help && <KeyHelp actions={actions} onClose={() => setHelp(false)} />}
    </div>
  );
}

/** A problem of the search; one of the query's text points at its column. */
function QueryProblem({ run, query, retry }: { run: SearchRun; query: string; retry(): void }) {
  const problem = run.problem.value;
  const column = problem instanceof ApiProblem ? problem.details["column"] : undefined;
  if (typeof column !== "number") return <Problem problem={problem} retry={retry} />;
  return (
    <div class="notice bad" role="alert">
      <p>{problem?.message}</p>
      <pre class="pointed">{`${query}\n${" ".repeat(Math.max(0, column - 1))}^`}</pre>
    </div>
  );
}

function Nothing(props: { query: string; widen: ReturnType<typeof wider>; go: ReturnType<typeof useAddress>[1] }) {
  const { query, widen, go } = props;
  return (
    <div class="nothing stack">
      <p>{query ? "No event matches in this range." : "No events in this range."}</p>
      <div class="row">
        {widen && (
          <button type="button" class="button" onClick={() => go({ range: widen })}>
            Search {rangeWords(widen.from)}
          </button>
        )}
        {query && (
          <button type="button" class="button" onClick={() => go({ query: "" })}>
            Show every event
          </button>
        )}
      </div>
      {!query && (
        <p class="dim">
          Not sent anything yet? <Link href="/start">Get started</Link> has a key and a command for you.
        </p>
      )}
    </div>
  );
}

function rangeWords(from: string): string {
  const [, count, unit] = /^-(\d+)([mhd])$/.exec(from)!;
  const names = { m: "minutes", h: "hours", d: "days" } as const;
  return `the last ${count} ${names[unit as keyof typeof names]}`;
}

function clamp(index: number, length: number): number {
  return Math.min(Math.max(index, 0), length - 1);
}
