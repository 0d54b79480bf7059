import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { counted } from "../controls/format";
import { useMediaQuery } from "../controls/media";
import { columnName, fieldsOf, LEVELS, type LogEvent } from "./event";
import { expanded, firstLine } from "./first-line";
import { Marked } from "./marked";
import { lineTime } from "./range";
import { useVirtualRows } from "./virtual-rows";

const ROW = 22;
const PHONE_ROW = 70;
const LOAD_BEFORE_END = 60;
const MOST_FIELDS = 6;
const MOST_FIELD_TEXT = 60;

export interface LinesProps {
  events: LogEvent[];
  selected: number | null;
  words: readonly string[];
  withDay: boolean;
  columns: readonly string[];
  wrap: boolean;
  stale: boolean;
  /** Lines that show all of their message, by index. */
  expandedLines: ReadonlySet<number>;
  onSelect(index: number): void;
  onExpand(index: number): void;
  onNearEnd(): void;
  /** Whether the last line stays in view while lines are added; absent where none are. */
  follow?: boolean;
  /** The person scrolled to the last line, or away from it. */
  onFollow?: (follow: boolean) => void;
}

/** The events as lines; only those in view are in the document. */
export function Lines(props: LinesProps) {
  const { events, selected, onNearEnd, columns, wrap, stale, expandedLines, follow, onFollow } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const phone = useMediaQuery("(max-width: 900px)");
  const measured = phone || wrap || expandedLines.size > 0;
  const rows = useVirtualRows(events.length, phone ? PHONE_ROW : ROW, scroller, measured);
  const last = rows.items.at(-1)?.index ?? 0;
  // Not when it is drawn anew: a page that cannot be loaded would be asked for without end.
  useEffect(() => {
    if (events.length > 0 && last >= events.length - LOAD_BEFORE_END) onNearEnd();
  }, [last, events]);
  useEffect(() => {
    if (selected !== null) rows.scrollTo(selected);
  }, [selected]);
  useLayoutEffect(() => {
    if (follow && events.length > 0) rows.scrollTo(events.length - 1);
  }, [follow, events]);
  const template = `4px ${props.withDay ? 138 : 96}px minmax(0, 112px) ${columns.map(() => "minmax(60px, 140px) ").join("")}minmax(0, 1fr)`;
  return (
    <div class={stale ? "table-of-lines stale" : "table-of-lines"} style={{ "--line-columns": template }}>
      <div class="line-head" aria-hidden="true">
        <span />
        <span>Time</span>
        <span>Service</span>
        {columns.map((column) => (
          <span key={column}>{column}</span>
        ))}
        <span>Message</span>
      </div>
      <div
        class={wrap ? "rows wrap" : "rows"}
        ref={scroller as RefObject<HTMLDivElement>}
        role="listbox"
        aria-label="Log lines"
        aria-activedescendant={selected === null ? undefined : `line-${selected}`}
        tabIndex={0}
        onScroll={(event) => onFollow?.(isAtEnd(event.currentTarget))}
      >
        <div class="rows-height" style={{ height: `${rows.height}px` }}>
          {rows.items.map((item) => (
            <Line
              key={item.index}
              {...props}
              event={events[item.index]!}
              index={item.index}
              top={item.start}
              measure={measured ? rows.measure : null}
            />
          ))}
        </div>
      </div>
    </div>
  );
}

function isAtEnd({ scrollHeight, scrollTop, clientHeight }: HTMLElement): boolean {
  return scrollHeight - scrollTop - clientHeight < ROW * 2;
}

interface LineProps extends LinesProps {
  event: LogEvent;
  index: number;
  top: number;
  measure: ((element: Element | null) => void) | null;
}

function Line(props: LineProps) {
  const { event, index, top, selected, words, withDay, columns, expandedLines, measure, onSelect, onExpand } = props;
  const level = LEVELS.includes(event.level) ? event.level : "info";
  const isExpanded = expandedLines.has(index);
  const { first, more } = firstLine(event.message);
  const fields = shownFields(event, columns);
  return (
    <div
      id={`line-${index}`}
      ref={measure}
      data-index={index}
      class={isExpanded ? "line expanded" : "line"}
      role="option"
      aria-selected={selected === index}
      style={{ transform: `translateY(${top}px)` }}
      onClick={() => !getSelection()?.toString() && onSelect(index)}
    >
      <i class={`level ${level}`} title={level}>
        <span class="hidden-text">{level}</span>
      </i>
      <time>{lineTime(event.timestamp, withDay)}</time>
      <span class="service">
        <Marked text={event.service} />
      </span>
      {fields.columns.map((text, at) => (
        <span key={columns[at]} class="column" title={text}>
          <Marked text={text} />
        </span>
      ))}
      <span class="message">
        {isExpanded ? <Expanded message={event.message} words={words} /> : <Marked text={first} words={words} />}
        {first === "" && <span class="faint">no message</span>}
        {more > 0 && (
          <span
            class="more"
            onClick={(clicked) => {
              clicked.stopPropagation();
              onExpand(index);
            }}
          >
            {isExpanded ? "show one line" : `+${counted(more, "line")}`}
          </span>
        )}
        {!isExpanded && fields.rest && (
          <span class="rest">
            <Marked text={fields.rest} />
          </span>
        )}
      </span>
    </div>
  );
}

function Expanded({ message, words }: { message: string; words: readonly string[] }) {
  const { text, isAll } = expanded(message);
  return (
    <>
      <Marked text={text} words={words} />
      {!isAll && <span class="more">{"\n"}Open the line to see the rest.</span>}
    </>
  );
}

interface ShownFields {
  columns: string[];
  rest: string;
}

/** More than there are lines in view. A cache of all lines would make each garbage collection longer. */
const MOST_SHOWN = 500;

let shownWith: readonly string[] = [];
const shown = new Map<LogEvent, ShownFields>();

/** The text of each column, and the first other fields behind the message; made once for a line in view. */
function shownFields(event: LogEvent, columns: readonly string[]): ShownFields {
  if (columns !== shownWith || shown.size === MOST_SHOWN) {
    shownWith = columns;
    shown.clear();
  }
  const known = shown.get(event) ?? madeFields(event, columns);
  shown.set(event, known);
  return known;
}

function madeFields(event: LogEvent, columns: readonly string[]): ShownFields {
  const fields = fieldsOf(event);
  const named = (name: string) => fields.find((field) => columnName(field.name) === name)?.text ?? "";
  const rest = fields
    .filter((field) => field.name.startsWith("@") && !columns.includes(columnName(field.name)))
    .slice(0, MOST_FIELDS)
    .map((field) => `${field.name.slice(1)}=${field.text.slice(0, MOST_FIELD_TEXT)}`);
  return { columns: columns.map(named), rest: rest.join(" ") };
}

/** Which lines are expanded; a new list of events begins with none. */
export function useExpanded(events: LogEvent[]): [ReadonlySet<number>, (index: number) => void] {
  const [lines, setLines] = useState<ReadonlySet<number>>(new Set());
  const first = events[0];
  useEffect(() => setLines(new Set()), [first]);
  return [
    lines,
    (index) =>
      setLines((last) => {
        const next = new Set(last);
        if (!next.delete(index)) next.add(index);
        return next;
      }),
  ];
}
