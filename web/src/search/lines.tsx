import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useMediaQuery } from "../controls/media";
import { LEVELS, type LogEvent } from "./event";
import { Marked } from "./marked";
import { lineTime } from "./range";
import { useVirtualRows } from "./virtual-rows";

const ROW = 22;
const PHONE_ROW = 64;
const LOAD_BEFORE_END = 60;
const MOST_SHOWN = 2000;
const CONTROLS = /[\u0000-\u001f\u007f-\u009f]/g;

export interface LinesProps {
  events: LogEvent[];
  selected: number | null;
  words: readonly string[];
  withDay: boolean;
  onSelect(index: number): void;
  onNearEnd(): void;
}

/** The events as lines; only those in view are in the document. */
export function Lines(props: LinesProps) {
  const { events, selected, onNearEnd } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const phone = useMediaQuery("(max-width: 900px)");
  const rows = useVirtualRows(events.length, phone ? PHONE_ROW : ROW, scroller);
  const last = rows.items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (events.length > 0 && last >= events.length - LOAD_BEFORE_END) onNearEnd();
  }, [last, events.length, onNearEnd]);
  useEffect(() => {
    if (selected !== null) rows.scrollTo(selected);
  }, [selected]);
  return (
    <div
      class="rows"
      ref={scroller as RefObject<HTMLDivElement>}
      role="listbox"
      aria-label="Log lines"
      aria-activedescendant={selected === null ? undefined : `line-${selected}`}
      tabIndex={0}
    >
      <div class="rows-height" style={{ height: `${rows.height}px` }}>
        {rows.items.map((item) => (
          <Line key={item.index} {...props} event={events[item.index]!} index={item.index} top={item.start} />
        ))}
      </div>
    </div>
  );
}

function Line({
  event,
  index,
  top,
  selected,
  words,
  withDay,
  onSelect,
}: LinesProps & { event: LogEvent; index: number; top: number }) {
  const { first, more } = firstLine(event.message);
  const level = LEVELS.includes(event.level) ? event.level : "info";
  return (
    <div
      id={`line-${index}`}
      class="line"
      role="option"
      aria-selected={selected === index}
      style={{ transform: `translateY(${top}px)` }}
      onClick={() => onSelect(index)}
    >
      <i class={`level ${level}`} title={level}>
        <span class="hidden-text">{level}</span>
      </i>
      <time>{lineTime(event.timestamp, withDay)}</time>
      <span class="service">{event.service}</span>
      <span class="message">
        <Marked text={first} words={words} />
        {more > 0 && <span class="more"> +{more} lines</span>}
      </span>
    </div>
  );
}

/** The first line of a message with text in it, control characters drawn as dots, and how many follow. */
export function firstLine(message: string): { first: string; more: number } {
  const lines = message.split(/\r\n|\n|\r/);
  const start = lines.findIndex((line) => line.trim() !== "");
  const first = (lines[start] ?? "").slice(0, MOST_SHOWN).replaceAll(CONTROLS, "·");
  return { first, more: start < 0 ? 0 : lines.length - 1 - start };
}
