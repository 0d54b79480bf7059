import { useEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";
import { Link, useLocation, useSearch } from "wouter-preact";
import { useTitle } from "../app/title";
import { counted } from "../controls/format";
import { Problem } from "../controls/problem";
import { Skeleton } from "../controls/skeleton";
import { writeAddress } from "../search/address";
import { QueryField } from "../search/editor/query-field";
import { EventPanel } from "../search/event-panel";
import type { LogEvent } from "../search/event";
import { KeyHelp, useKeys, type KeyAction } from "../search/keys";
import { Lines, useExpanded } from "../search/lines";
import { filterText, markedWords, narrowed } from "../search/query-text";
import type { Tab } from "../search/tabs";
import { Rejecting } from "../usage/rejecting";
import { Tail } from "./tail";
import "../search/search.css";
import "./live.css";

const RATE_EVERY_MS = 1000;
const rates = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

/** Events as they are stored, the newest at the end; it stops scrolling when the person reads. */
export function LivePage() {
  const query = new URLSearchParams(useSearch()).get("q") ?? "";
  const [, navigate] = useLocation();
  useTitle(query ? `Live: ${query}` : "Live");
  const go = (wanted: string) => navigate(wanted ? `/live?${new URLSearchParams({ q: wanted })}` : "/live");
  const tail = useMemo(() => new Tail(filterText(query)), [query]);
  useEffect(() => {
    void tail.run();
    return () => tail.stop();
  }, [tail]);
  return <Following key={query} query={query} tail={tail} go={go} />;
}

function Following({ query, tail, go }: { query: string; tail: Tail; go(query: string): void }) {
  const [, navigate] = useLocation();
  const [follow, setFollow] = useState(true);
  // The event and not its place, which changes when the oldest lines are dropped.
  const [chosen, setChosen] = useState<LogEvent | null>(null);
  const chosenNow = useRef<LogEvent | null>(null);
  const [open, setOpen] = useState(false);
  const [help, setHelp] = useState(false);
  const [tab, setTab] = useState<Tab>("event");
  const field = useRef<HTMLTextAreaElement>(null);
  const events = tail.events.value;
  const [expandedLines, expand] = useExpanded(events);
  const place = chosen === null ? -1 : events.indexOf(chosen);
  const selected = place < 0 ? null : place;

  function following(next: boolean): void {
    setFollow(next);
    tail.follow(next);
  }

  function choose(event: LogEvent | null): void {
    if (event !== null) following(false);
    chosenNow.current = event;
    setChosen(event);
  }

  /** From the newest line, if none is chosen: it is the one in view. */
  function move(by: number): void {
    const lines = tail.events.value;
    const at = chosenNow.current === null ? lines.length - Math.max(by, 0) : lines.indexOf(chosenNow.current);
    if (lines.length > 0) choose(lines[Math.min(Math.max(at + by, 0), lines.length - 1)]!);
  }

  const actions: KeyAction[] = [
    { key: "/", does: "write the filter", run: () => field.current?.focus() },
    { key: " ", does: "pause, or follow the newest line", run: () => following(!follow) },
    { key: "j", does: "the next line", run: () => move(1) },
    { key: "k", does: "the line before", run: () => move(-1) },
    { key: "ArrowDown", does: "the next line", run: () => move(1) },
    { key: "ArrowUp", does: "the line before", run: () => move(-1) },
    { key: "Enter", does: "open the line beside", run: () => chosenNow.current && setOpen(true) },
    {
      key: "Shift+Enter",
      does: "show all of the line in its place",
      run: () => chosenNow.current && expand(tail.events.value.indexOf(chosenNow.current)),
    },
    { key: "Escape", does: "close the line", run: () => (open ? setOpen(false) : choose(null)) },
    { key: "?", does: "this help", run: () => setHelp(true) },
  ];
  useKeys(actions);
  const event = open ? chosen : null;

  return (
    <div class="search live">
      <form
        class="bar"
        role="search"
        onSubmit={(submitted) => {
          submitted.preventDefault();
          go(field.current?.value.trim() ?? "");
        }}
      >
        <QueryField query={query} field={field} wrongAt={null} onSubmit={(text) => go(text.trim())} />
        <button type="button" class="button" aria-pressed={!follow} onClick={() => following(!follow)}>
          {follow ? "Pause" : "Follow"}
        </button>
        <button class="button primary">Filter</button>
      </form>
      <LiveStatus tail={tail} follow={follow} query={query} onHelp={() => setHelp(true)} />
      <div class={event ? "body with-event" : "body"}>
        <section class="results" aria-label="Live events">
          <Problem problem={tail.problem.value} />
          {events.length > 0 ? (
            <Lines
              events={events}
              selected={selected}
              words={markedWords(query)}
              withDay={false}
              columns={[]}
              wrap={false}
              stale={false}
              expandedLines={expandedLines}
              onSelect={(index) => {
                choose(events[index]!);
                setOpen(true);
              }}
              onExpand={expand}
              onNearEnd={() => undefined}
              follow={follow}
              onFollow={(next) => next !== follow && following(next)}
            />
          ) : (
            !tail.problem.value &&
            (tail.started.value ? (
              <div class="nothing stack">
                <Rejecting />
                <p class="dim">Waiting for events. They are shown here as soon as they are stored.</p>
              </div>
            ) : (
              <div class="nothing">
                <Skeleton lines={12} />
              </div>
            ))
          )}
          {tail.unseen.value > 0 && (
            <button type="button" class="button primary unseen" onClick={() => following(true)}>
              ↓ {counted(tail.unseen.value, "new event")}
            </button>
          )}
        </section>
        {event && (
          <EventPanel
            event={event}
            words={markedWords(query)}
            tab={tab}
            columns={[]}
            onTab={setTab}
            onFilter={(filter) => go(narrowed(query, filter))}
            onTrace={(traced) => navigate(`/trace/${encodeURIComponent(traced.trace_id)}`)}
            onOpen={(opened) => navigate(writeAddress({ query, event: opened.id ?? null }))}
            onClose={() => setOpen(false)}
          />
        )}
      </div>
      {help && <KeyHelp actions={actions} onClose={() => setHelp(false)} />}
    </div>
  );
}

function LiveStatus(props: { tail: Tail; follow: boolean; query: string; onHelp(): void }) {
  const { tail, follow, query, onHelp } = props;
  const [, tick] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const timer = setInterval(() => tick(0), RATE_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const waiting = tail.waiting.value;
  const state = tail.problem.value ? "stopped" : waiting ? "waiting" : follow ? "live" : "paused";
  return (
    <div class="status">
      <span role="status">
        <i class={`pulse ${state}`} />{" "}
        {waiting
          ? `${waiting.message} The tail continues by itself.`
          : { stopped: "Stopped", live: "Live", paused: "Paused: the lines stay", waiting: "" }[state]}
        {tail.gap.value && " · events may be missing, because the page slept for long"}
      </span>
      <span class="rate">
        <b>{rates.format(tail.rate(Date.now()))}</b> events/s
      </span>
      <span class="views">
        <Link class="button plain small" href={writeAddress({ query })}>
          Search this
        </Link>
        <button type="button" class="button plain small help" onClick={onHelp}>
          ? keys
        </button>
      </span>
    </div>
  );
}
