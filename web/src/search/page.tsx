import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useLocation } from "wouter-preact";
import { ApiProblem } from "../api/problem";
import { useMediaQuery } from "../controls/media";
import { Problem } from "../controls/problem";
import { copy } from "../controls/snippet";
import { discardResults, isSameSearch, useSearching, type Searching } from "./searching";
import { filterOf, formatQuery, type Filter } from "./api";
import { useAddress, writeAddress, type Go, type SearchAddress } from "./address";
import { QueryField } from "./editor/query-field";
import { rememberQuery } from "./editor/history";
import type { LogEvent } from "./event";
import { EventPanel, linkTo } from "./event-panel";
import { ExportDialog } from "./export-dialog";
import { Facets } from "./facets";
import { Histogram } from "./histogram";
import { KeyHelp, useKeys, type KeyAction } from "./keys";
import { Lines, useExpanded } from "./lines";
import { Patterns } from "./patterns";
import { TableView } from "./table";
import { Nothing } from "./nothing";
import { useLinkedEvent } from "./opened";
import { condition, conditionsOf, filterText, markedWords, narrowed, pointedAt, without } from "./query-text";
import { between, lengthMs } from "./range";
import { RangePicker } from "./range-picker";
import { Edge, useSide } from "./side";
import type { Tab } from "./tabs";
import { useSavedDialog } from "../saved/open";
import { Status } from "./status";
import "./search.css";

const DAY_MS = 86_400_000;

export function SearchPage() {
  const [address, navigate] = useAddress();
  const [, visit] = useLocation();
  const { query, range, view, compare, columns, wrap, tab } = address;
  const searching = useSearching(query, range);
  const { run } = searching;
  const events = run.events.value;
  const [selected, setSelected] = useState<number | null>(null);
  const selectedNow = useRef<number | null>(null);
  const [help, setHelp] = useState(false);
  const [exporting, setExporting] = useState<{ filter: Filter; opened: number } | null>(null);
  const [expandedLines, expand] = useExpanded(events);
  const field = useRef<HTMLTextAreaElement>(null);
  const words = useMemo(() => markedWords(query), [query]);
  const linked = useLinkedEvent(address.event, events);
  const saved = useSavedDialog(address);
  const [said, say] = useSaid();
  const queryNow = useRef(query);
  queryNow.current = query;
  const counted = searching.histogram.value.value;

  // Keys may come faster than the page is drawn, so actions read the line from here.
  function select(index: number | null): void {
    selectedNow.current = index;
    setSelected(index);
  }

  useEffect(() => {
    document.title = `${query || "Search"} · AstraLog`;
    select(null);
  }, [searching, query]);
  // The open event is the chosen line, also when a link or "back" opened it.
  useEffect(() => {
    const at = address.event === null ? -1 : events.findIndex(({ id }) => id === address.event);
    if (at >= 0 && selectedNow.current === null) select(at);
  }, [events, address.event]);
  const isCounted = counted !== null && !searching.histogram.stale.value;
  useEffect(() => {
    if (compare && isCounted) searching.compare();
    if (!compare) searching.before.clear();
  }, [searching, compare, isCounted, counted]);

  // A search that is shown already is read again, as of now.
  const go: Go = (to, going) => {
    if ("query" in to || "range" in to) {
      const [wanted, times] = [to.query ?? query, to.range ?? range];
      if (isSameSearch(wanted, times, query, range)) void searching.start();
      else discardResults(wanted, times);
      if (writeAddress({ ...address, event: null, ...to }) === writeAddress(address)) return;
    }
    navigate(to, going);
  };
  const open = (event: LogEvent) => go({ event: event.id ?? null }, { replace: true });
  const openAt = (event: LogEvent, at: Tab) => go({ event: event.id ?? null, tab: at }, { replace: true });
  const close = () => go({ event: null }, { replace: true });
  const filter = (wanted: string) => go({ query: narrowed(query, wanted) });
  const toggle = (wanted: string) =>
    go({ query: conditionsOf(query).includes(wanted) ? without(query, wanted) : narrowed(query, wanted) });
  const trace = (event: LogEvent) => visit(`/trace/${encodeURIComponent(event.trace_id)}`);
  const toggleColumn = (name: string) =>
    go(
      { columns: columns.includes(name) ? columns.filter((each) => each !== name) : [...columns, name] },
      { replace: true },
    );

  function submit(text: string): void {
    rememberQuery(text.trim());
    go({ query: text.trim() });
  }

  function format(): void {
    const shown = (formatted: string) =>
      formatted !== query && queryNow.current === query && go({ query: formatted }, { replace: true });
    // The page says already what is wrong with a query that has no format.
    if (query) formatQuery(query).then(shown, () => undefined);
  }

  // A dialog that was closed may say so after the next one was opened.
  const exportEvents = () =>
    setExporting((last) => ({
      filter: filterOf(filterText(query), range, Date.now()),
      opened: (last?.opened ?? 0) + 1,
    }));

  const lines: LineActions = {
    move: (by) => {
      const { length } = run.events.value;
      if (length > 0) select(Math.min(Math.max((selectedNow.current ?? -1) + by, 0), length - 1));
    },
    withLine: (act) => act(run.events.value[selectedNow.current ?? -1], selectedNow.current),
  };
  const actions = keyActions({
    lines,
    openAt,
    close,
    filter,
    trace,
    expand,
    help: () => setHelp(true),
    save: saved.show,
    exportEvents,
    format,
    search: () => void searching.start(),
    write: () => field.current?.focus(),
    say,
  });
  useKeys(actions);

  return (
    <div class="search">
      <Bar address={address} field={field} searching={searching} onSubmit={submit} go={go} />
      <Status
        searching={searching}
        view={view}
        onView={(chosen) => go({ view: chosen })}
        compare={compare}
        wrap={wrap}
        onCompare={() => go({ compare: !compare }, { replace: true })}
        onWrap={() => go({ wrap: !wrap }, { replace: true })}
        onSaved={saved.show}
        onExport={exportEvents}
        onHelp={() => setHelp(true)}
      />
      <Body hasEvent={linked.event !== null}>
        <Facets
          fields={searching.fields.value.value}
          stale={searching.fields.stale.value || searching.stale}
          problem={searching.fields.problem.value}
          query={query}
          columns={columns}
          filter={searching.filter}
          onToggle={toggle}
          onColumn={toggleColumn}
        />
        <section class="results" aria-label="Results">
          <QueryProblem searching={searching} />
          {searching.cancelled.value && <Cancelled onAgain={() => void searching.start()} />}
          <Problem problem={linked.problem} />
          <Histogram
            counts={counted}
            before={searching.before.value.value}
            stale={searching.histogram.stale.value || searching.stale}
            problem={searching.histogram.problem.value}
            onZoom={(from, to) => go({ range: between(from, to) })}
          />
          {view === "patterns" ? (
            <Patterns
              filter={searching.filter}
              compare={compare}
              onFilter={(wanted) => go({ query: narrowed(query, wanted), view: "lines" })}
              onOpen={open}
            />
          ) : searching.table.value.value ? (
            <TableView table={searching.table.value.value} stale={searching.stale} />
          ) : events.length > 0 ? (
            <Lines
              events={events}
              selected={selected}
              words={words}
              withDay={lengthMs(range, Date.now()) > DAY_MS}
              columns={columns}
              wrap={wrap}
              stale={searching.stale}
              expandedLines={expandedLines}
              onSelect={(index) => {
                select(index);
                open(events[index]!);
              }}
              onExpand={expand}
              onNearEnd={() => !run.problem.value && void run.more()}
            />
          ) : (
            !searching.stale && !searching.problem && <Nothing query={query} range={range} go={go} />
          )}
        </section>
        {linked.event && (
          <EventPanel
            event={linked.event}
            words={words}
            tab={tab}
            columns={columns}
            onTab={(chosen) => go({ tab: chosen }, { replace: true })}
            onFilter={filter}
            onColumn={toggleColumn}
            onTrace={trace}
            onOpen={open}
            onClose={close}
          />
        )}
      </Body>
      {saved.dialog}
      <p class="said" role="status">
        {said}
      </p>
      {help && <KeyHelp actions={actions} onClose={() => setHelp(false)} />}
      {exporting && (
        <ExportDialog
          key={exporting.opened}
          filter={exporting.filter}
          onClose={() => setExporting((now) => (now?.opened === exporting.opened ? null : now))}
        />
      )}
    </div>
  );
}

interface BarProps {
  address: SearchAddress;
  field: { current: HTMLTextAreaElement | null };
  searching: Searching;
  onSubmit(query: string): void;
  go: Go;
}

function Bar({ address, field, searching, onSubmit, go }: BarProps) {
  const wrong = wrongColumn(searching);
  return (
    <form
      class="bar"
      role="search"
      onSubmit={(submitted) => {
        submitted.preventDefault();
        onSubmit(field.current?.value ?? "");
      }}
    >
      <QueryField
        query={address.query}
        field={field}
        wrongAt={wrong === null ? null : offsetOf(address.query, wrong)}
        onSubmit={onSubmit}
      />
      <RangePicker range={address.range} onChoose={(chosen) => go({ range: chosen })} />
      <button class="button primary">Search</button>
    </form>
  );
}

/** Fields, results and event beside each other; the side columns have the widths that the person chose. */
function Body({ hasEvent, children }: { hasEvent: boolean; children: ComponentChildren[] }) {
  const wide = useMediaQuery("(min-width: 901px)");
  const fields = useSide("fields", 216, [140, 420]);
  const event = useSide("event", 396, [280, 760]);
  const [facets, results, panel] = children;
  if (!wide) {
    return (
      <div class="body">
        <details class="facets-fold">
          <summary>Fields</summary>
          {facets}
        </details>
        {results}
        {panel}
      </div>
    );
  }
  return (
    <div
      class={hasEvent ? "body with-event" : "body"}
      style={{ "--fields-width": `${fields.width}px`, "--event-width": `${event.width}px` }}
    >
      {facets}
      <Edge side={fields} label="Width of the fields" grows="right" />
      {results}
      {hasEvent && <Edge side={event} label="Width of the event" grows="left" />}
      {panel}
    </div>
  );
}

/** A problem of the search; one of the query's text points at its column. */
function QueryProblem({ searching }: { searching: Searching }) {
  const { problem } = searching;
  const column = wrongColumn(searching);
  if (column === null) return <Problem problem={problem} retry={() => searching.retry()} />;
  return (
    <div class="notice bad" role="alert">
      <p>{problem?.message}</p>
      <pre class="pointed">{pointedAt(searching.query, column)}</pre>
    </div>
  );
}

function Cancelled({ onAgain }: { onAgain(): void }) {
  return (
    <div class="notice row" role="status">
      <p>The search was cancelled.</p>
      <button type="button" class="button small" onClick={onAgain}>
        Search again
      </button>
    </div>
  );
}

/** The column of the query, in characters from 1, that the API rejects; null for any other problem. */
function wrongColumn({ problem }: Searching): number | null {
  const column = problem instanceof ApiProblem ? problem.details["column"] : undefined;
  return typeof column === "number" ? column : null;
}

function offsetOf(text: string, column: number): number {
  return [...text].slice(0, column - 1).join("").length;
}

const SAID_MS = 2500;

/** What an action that changes nothing on the page has done, for a moment. */
function useSaid(): [string, (text: string) => void] {
  const [said, say] = useState("");
  useEffect(() => {
    if (!said) return;
    const timer = setTimeout(() => say(""), SAID_MS);
    return () => clearTimeout(timer);
  }, [said]);
  return [said, say];
}

interface LineActions {
  move(by: number): void;
  withLine(act: (event: LogEvent | undefined, index: number | null) => void): void;
}

interface Commands {
  lines: LineActions;
  openAt(event: LogEvent, tab: Tab): void;
  close(): void;
  filter(condition: string): void;
  trace(event: LogEvent): void;
  expand(index: number): void;
  help(): void;
  save(): void;
  exportEvents(): void;
  format(): void;
  search(): void;
  write(): void;
  say(text: string): void;
}

function keyActions(commands: Commands): KeyAction[] {
  const { lines, close, filter, trace, expand } = commands;
  const openAt = (tab: Tab) => lines.withLine((event) => event && commands.openAt(event, tab));
  const value = (exclude: boolean) => lines.withLine((event) => filterValue(event, exclude, filter));
  return [
    { key: "/", does: "write the query", run: commands.write },
    { key: "j", does: "the next line", run: () => lines.move(1) },
    { key: "k", does: "the line before", run: () => lines.move(-1) },
    { key: "ArrowDown", does: "the next line", run: () => lines.move(1) },
    { key: "ArrowUp", does: "the line before", run: () => lines.move(-1) },
    { key: "Enter", does: "open the line beside", run: () => openAt("event") },
    {
      key: "Shift+Enter",
      does: "show all of the line in its place",
      run: () => lines.withLine((_, index) => index !== null && expand(index)),
    },
    { key: "c", does: "the lines around it", run: () => openAt("context") },
    { key: "t", does: "its trace", run: () => lines.withLine((event) => event?.trace_id && trace(event)) },
    { key: "e", does: "exclude the value under the pointer or focus, else the line's service", run: () => value(true) },
    { key: "i", does: "include it", run: () => value(false) },
    {
      key: "y",
      does: "copy a link to the line",
      run: () =>
        lines.withLine(
          (event) =>
            event?.id &&
            void copy(linkTo(event)).then((copied) =>
              commands.say(copied ? "The link is copied." : "The browser does not allow copying."),
            ),
        ),
    },
    { key: "Escape", does: "close the line", run: close },
    { key: "s", does: "save the search, or open a saved one", run: commands.save },
    { key: "r", does: "search again", run: commands.search },
    { key: "f", does: "format the query (Alt+Shift+F while you write it)", run: commands.format },
    { key: "x", does: "export the events", run: commands.exportEvents },
    { key: "?", does: "this help", run: commands.help },
  ];
}

function filterValue(event: LogEvent | undefined, exclude: boolean, filter: (condition: string) => void): void {
  const pointed =
    document.activeElement?.closest("[data-condition]") ?? document.querySelector("[data-condition]:hover");
  const include = pointed instanceof HTMLElement ? pointed.dataset["condition"] : undefined;
  const service = event?.service && condition({ name: "service", kind: "text", text: event.service });
  const wanted = include ?? service;
  if (wanted) filter(exclude ? `-${wanted}` : wanted);
}
