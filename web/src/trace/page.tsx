import { parse } from "lossless-json";
import { useRef, useState } from "preact/hooks";
import { Link, useLocation, useParams } from "wouter-preact";
import { call } from "../api/client";
import { ApiProblem } from "../api/problem";
import { useTitle } from "../app/title";
import { counted } from "../controls/format";
import { Problem } from "../controls/problem";
import { useResource } from "../controls/resource";
import { Skeleton } from "../controls/skeleton";
import { zone } from "../controls/zone";
import { writeAddress } from "../search/address";
import { EventPanel } from "../search/event-panel";
import { KeyHelp, useKeys, type KeyAction } from "../search/keys";
import type { LogEvent } from "../search/event";
import { Marked } from "../search/marked";
import { Lines, useExpanded } from "../search/lines";
import { condition } from "../search/query-text";
import { between } from "../search/range";
import { readTraceAddress, useTraceAddress, type TraceAddress } from "./address";
import { eventsOf, durationText, orderedSpans, placeOf, type Span, type Trace } from "./shape";
import "../search/search.css";
import "./trace.css";

const AROUND_MS = 60_000;

/** One trace: its spans on a line of time, the events below, of all spans or of one. */
export function TracePage() {
  const { id = "" } = useParams<{ id: string }>();
  useTitle(`Trace ${id.slice(0, 8)}`);
  return <LoadedTrace key={id} id={id} />;
}

function LoadedTrace({ id }: { id: string }) {
  const { value: trace, problem, reload } = useResource((signal) => readTrace(id, signal));
  const isGone = problem instanceof ApiProblem && problem.code === "not_found";
  if (trace) return <Shown trace={trace} />;
  return (
    <div class="page">
      <header>
        <h1>Trace</h1>
        <p class="dim trace-id">{id}</p>
      </header>
      {isGone ? (
        <p>
          No event of this account has this trace. It may have expired. <Link href="/search">Search</Link> for its
          events by another field.
        </p>
      ) : problem ? (
        <Problem problem={problem} retry={() => void reload()} />
      ) : (
        <Skeleton lines={10} />
      )}
    </div>
  );
}

function Shown({ trace }: { trace: Trace }) {
  const [, navigate] = useLocation();
  const [address, go] = useTraceAddress(trace.trace_id);
  const [help, setHelp] = useState(false);
  const span = trace.spans.find((each) => isSame(each, address.span)) ?? null;
  const events = eventsOf(span, trace.events);
  const [expandedLines, expand] = useExpanded(events);
  const { selected, opened, select, move, open, close } = useLine(events, address.event, go);
  const range = between(Date.parse(trace.from) - AROUND_MS, Date.parse(trace.to) + AROUND_MS);
  const query = condition({ name: "trace_id", kind: "text", text: trace.trace_id });
  const actions: KeyAction[] = [
    { key: "j", does: "the next line", run: () => move(1) },
    { key: "k", does: "the line before", run: () => move(-1) },
    { key: "ArrowDown", does: "the next line", run: () => move(1) },
    { key: "ArrowUp", does: "the line before", run: () => move(-1) },
    { key: "Enter", does: "open the line beside", run: open },
    { key: "Escape", does: "close the line", run: close },
    { key: "?", does: "this help", run: () => setHelp(true) },
  ];
  useKeys(actions);

  return (
    <div class="search trace">
      <header class="trace-head">
        <h1>Trace</h1>
        <code class="trace-id">{trace.trace_id}</code>
        <p class="dim">
          {durationText(trace.duration_ms)} · {counted(trace.spans.length, "span")} in{" "}
          {counted(trace.services.length, "service")} · {counted(trace.events.length, "event")} · {zone.value}
        </p>
        <Link class="button small" href={writeAddress({ query, range })}>
          Search its events
        </Link>
      </header>
      {trace.truncated && (
        <p class="notice">The trace has more events than are shown here. Search its events to see all of them.</p>
      )}
      <Timeline
        trace={trace}
        chosen={span}
        onChoose={(next) => {
          go({ span: next === span ? null : next, event: null });
          select(null);
        }}
      />
      <div class={opened ? "body with-event" : "body"}>
        <section class="results" aria-label="Events of the trace">
          <Lines
            events={events}
            selected={selected}
            words={[]}
            withDay={false}
            columns={[]}
            wrap={false}
            stale={false}
            expandedLines={expandedLines}
            onSelect={(index) => {
              select(index);
              open();
            }}
            onExpand={expand}
            onNearEnd={() => undefined}
          />
        </section>
        {opened && (
          <EventPanel
            event={opened}
            words={[]}
            tab={address.tab}
            columns={[]}
            onTab={(tab) => go({ tab })}
            onFilter={(filter) => navigate(writeAddress({ query: filter, range }))}
            onOpen={(next) => navigate(writeAddress({ range, event: next.id ?? null }))}
            onClose={close}
          />
        )}
      </div>
      {help && <KeyHelp actions={actions} onClose={() => setHelp(false)} />}
    </div>
  );
}

/** The chosen line, by its index, and the event of the address, which is open beside the lines. */
function useLine(events: LogEvent[], openId: string | null, go: (to: { event: string | null }) => void) {
  const [chosen, setChosen] = useState<number | null>(null);
  const chosenNow = useRef<number | null>(null);
  const indexOf = (id: string | null) => (id === null ? -1 : events.findIndex((event) => event.id === id));
  const at = indexOf(openId);

  function select(index: number | null): void {
    chosenNow.current = index;
    setChosen(index);
  }
  // Keys may come faster than the page is drawn, so the line is that of the address, not of the last drawing.
  function current(): number {
    const opened = indexOf(readTraceAddress(location.search).event);
    return opened >= 0 ? opened : (chosenNow.current ?? -1);
  }
  const openAt = (index: number) => go({ event: events[index]?.id ?? null });
  return {
    selected: at >= 0 ? at : chosen,
    opened: at >= 0 ? events[at] : undefined,
    select,
    move(by: number): void {
      if (events.length === 0) return;
      const next = Math.min(Math.max(current() + by, 0), events.length - 1);
      select(next);
      if (readTraceAddress(location.search).event !== null) openAt(next);
    },
    open: () => openAt(chosenNow.current ?? -1),
    close(): void {
      select(current());
      go({ event: null });
    },
  };
}

function isSame(span: Span, chosen: TraceAddress["span"]): boolean {
  return span.span_id === chosen?.span_id && span.service === chosen.service;
}

function Timeline({ trace, chosen, onChoose }: { trace: Trace; chosen: Span | null; onChoose(span: Span): void }) {
  return (
    <ol class="timeline" aria-label="Spans">
      {orderedSpans(trace).map((span) => {
        const { left, width } = placeOf(span, trace);
        return (
          <li key={`${span.service} ${span.span_id}`}>
            <button type="button" aria-pressed={span === chosen} onClick={() => onChoose(span)}>
              <span class="span-name">
                {span.service ? <Marked text={span.service} /> : "no service"} <span class="faint">{span.span_id}</span>
              </span>
              <span class="span-track">
                <i
                  class={`span-bar service-${trace.services.indexOf(span.service) % 6} ${span.level}`}
                  style={{ left: `${left * 100}%`, width: `${width * 100}%` }}
                />
              </span>
              <span class="span-length">
                {durationText(span.duration_ms)} · {counted(span.events, "event")}
              </span>
            </button>
          </li>
        );
      })}
    </ol>
  );
}

async function readTrace(id: string, signal: AbortSignal): Promise<Trace> {
  const trace = await call<Trace>("GET", `/v1/traces/${encodeURIComponent(id)}`, { signal, parse });
  return {
    ...trace,
    duration_ms: Number(trace.duration_ms),
    spans: trace.spans.map((span) => ({
      ...span,
      duration_ms: Number(span.duration_ms),
      events: Number(span.events),
    })),
  };
}
