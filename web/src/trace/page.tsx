import { parse } from "lossless-json";
import { useState } from "preact/hooks";
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
import { EventPanel, type Tab } from "../search/event-panel";
import { KeyHelp, useKeys, type KeyAction } from "../search/keys";
import { Marked } from "../search/marked";
import { Lines, useExpanded } from "../search/lines";
import { condition } from "../search/query-text";
import { between } from "../search/range";
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
  const [span, setSpan] = useState<Span | null>(null);
  const [selected, setSelected] = useState<number | null>(null);
  const [open, setOpen] = useState(false);
  const [help, setHelp] = useState(false);
  const [tab, setTab] = useState<Tab>("event");
  const events = eventsOf(span, trace.events);
  const [expandedLines, expand] = useExpanded(events);
  const event = selected === null ? undefined : events[selected];
  const range = between(Date.parse(trace.from) - AROUND_MS, Date.parse(trace.to) + AROUND_MS);
  const query = condition({ name: "trace_id", kind: "text", text: trace.trace_id });
  const move = (by: number) =>
    setSelected((last) => Math.min(Math.max((last ?? -1) + by, 0), Math.max(events.length - 1, 0)));
  const actions: KeyAction[] = [
    { key: "j", does: "the next line", run: () => move(1) },
    { key: "k", does: "the line before", run: () => move(-1) },
    { key: "ArrowDown", does: "the next line", run: () => move(1) },
    { key: "ArrowUp", does: "the line before", run: () => move(-1) },
    { key: "Enter", does: "open the line beside", run: () => setOpen(true) },
    { key: "Escape", does: "close the line", run: () => setOpen(false) },
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
          setSpan(next === span ? null : next);
          setSelected(null);
        }}
      />
      <div class={open && event ? "body with-event" : "body"}>
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
              setSelected(index);
              setOpen(true);
            }}
            onExpand={expand}
            onNearEnd={() => undefined}
          />
        </section>
        {open && event && (
          <EventPanel
            event={event}
            words={[]}
            tab={tab}
            columns={[]}
            onTab={setTab}
            onFilter={(filter) => navigate(writeAddress({ query: filter, range }))}
            onOpen={(next) => navigate(writeAddress({ range, event: next.id ?? null }))}
            onClose={() => setOpen(false)}
          />
        )}
      </div>
      {help && <KeyHelp actions={actions} onClose={() => setHelp(false)} />}
    </div>
  );
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
