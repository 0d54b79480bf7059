import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { CopyButton } from "../controls/snippet";
import { ago } from "../controls/time";
import { offsetName } from "../controls/zone";
import { writeAddress } from "./address";
import { Around, ContextTab } from "./context-tab";
import { curlOf } from "./curl";
import { columnName, fieldsOf, jsonOf, MOST_FIELDS, type LogEvent, type ShownField } from "./event";
import { Glyph } from "./glyphs";
import { JsonTree } from "./json-tree";
import { Marked } from "./marked";
import { condition } from "./query-text";
import { between, lineTime } from "./range";
import { TABS, type Tab } from "./tabs";

const MOST_SHOWN = 50_000;
const LINK_MS = 60_000;

export interface EventPanelProps {
  event: LogEvent;
  words: readonly string[];
  tab: Tab;
  columns: readonly string[];
  onTab(tab: Tab): void;
  onFilter(condition: string): void;
  /** Absent where lines have no columns of choice. */
  onColumn?: (name: string) => void;
  /** Absent where the trace is shown already. */
  onTrace?: (event: LogEvent) => void;
  onOpen(event: LogEvent): void;
  onClose(): void;
}

/** One event beside the lines: its message and fields, the events around it, its JSON. */
export function EventPanel(props: EventPanelProps) {
  const { event, tab, onTab, onClose } = props;
  return (
    <aside class="event" aria-label="Event">
      <div class="tabs">
        <div role="tablist" aria-label="Views of the event">
          {(Object.keys(TABS) as Tab[]).map((each) => (
            <button
              key={each}
              type="button"
              role="tab"
              id={`tab-${each}`}
              aria-selected={tab === each}
              aria-controls="event-view"
              onClick={() => onTab(each)}
            >
              {TABS[each]}
            </button>
          ))}
        </div>
        <button type="button" class="button plain small close" onClick={onClose} aria-label="Close the event">
          ✕
        </button>
      </div>
      <div id="event-view" class="view" role="tabpanel" aria-labelledby={`tab-${tab}`}>
        {tab === "event" && <Overview key={event.id ?? event.timestamp} {...props} />}
        {tab === "context" && <ContextTab event={event} words={props.words} onOpen={props.onOpen} />}
        {tab === "json" && <JsonTree value={event} />}
      </div>
      <Actions event={event} onTrace={props.onTrace} />
    </aside>
  );
}

function Overview({ event, words, columns, onFilter, onColumn, onTrace, onOpen }: EventPanelProps) {
  const all = fieldsOf(event);
  const fields = all.filter(({ name, text }) => name !== "project_id" || text !== "default");
  const seconds = (Date.now() - Date.parse(event.timestamp)) / 1000;
  const level: ShownField = { name: "level", kind: "text", text: event.level };
  return (
    <>
      <p class="when">
        <button
          type="button"
          class={`level-name ${event.level}`}
          title={`Include ${condition(level)}`}
          data-condition={condition(level)}
          onClick={() => onFilter(condition(level))}
        >
          {event.level}
        </button>
        <time class="dim" dateTime={event.timestamp}>
          {lineTime(event.timestamp, "full")} {offsetName(Date.parse(event.timestamp))}
          {seconds >= 0 && ` · ${ago(seconds)}`}
        </time>
      </p>
      <Message text={event.message} words={words} />
      {event.message_cut && <p class="faint">The message is longer than what a search returns.</p>}
      <dl class="fields">
        {fields.map((field) => (
          <Field
            key={field.name}
            field={field}
            isColumn={columns.includes(columnName(field.name))}
            onFilter={onFilter}
            onColumn={onColumn}
          >
            {field.name === "trace_id" && onTrace && (
              <button type="button" class="small-action" title="Show the trace" onClick={() => onTrace(event)}>
                trace
              </button>
            )}
          </Field>
        ))}
      </dl>
      {all.length === MOST_FIELDS && <p class="faint">The event has more fields than are listed: JSON has all.</p>}
      {event.id && <Around key={event.id} id={event.id} words={words} onOpen={onOpen} />}
    </>
  );
}

function Message({ text, words }: { text: string; words: readonly string[] }) {
  const [all, setAll] = useState(false);
  const rest = text.length - MOST_SHOWN;
  return (
    <div class="whole">
      <Marked text={all || rest <= 0 ? text : text.slice(0, MOST_SHOWN)} words={words} />
      {!all && rest > 0 && (
        <button type="button" class="button small" onClick={() => setAll(true)}>
          Show the other {rest.toLocaleString()} characters
        </button>
      )}
    </div>
  );
}

interface FieldProps {
  field: ShownField;
  isColumn: boolean;
  onFilter(condition: string): void;
  onColumn: ((name: string) => void) | undefined;
  children?: ComponentChildren;
}

function Field({ field, isColumn, onFilter, onColumn, children }: FieldProps) {
  const [include, exclude] = [condition(field), condition(field, true)];
  return (
    <>
      <dt>
        <Marked text={field.name} />
      </dt>
      <dd class={field.kind} data-condition={include}>
        <button
          type="button"
          class="value"
          title={`Include ${include}`}
          aria-label={`Include ${field.name} ${field.text}`}
          onClick={() => onFilter(include)}
        >
          {field.text === "" ? '""' : <Marked text={field.text} />}
        </button>
        <span class="field-actions">
          {children}
          {onColumn && (
            <button
              type="button"
              title="A column of the lines"
              aria-label={`Column ${field.name}`}
              aria-pressed={isColumn}
              onClick={() => onColumn(columnName(field.name))}
            >
              <Glyph name="column" />
            </button>
          )}
          <button
            type="button"
            title={`Exclude: ${exclude}`}
            aria-label={`Exclude ${field.name} ${field.text}`}
            onClick={() => onFilter(exclude)}
          >
            −
          </button>
        </span>
      </dd>
    </>
  );
}

function Actions({ event, onTrace }: { event: LogEvent; onTrace: EventPanelProps["onTrace"] }) {
  return (
    <div class="row actions">
      <span class="faint">Copy</span>
      {event.id && (
        <CopyButton text={linkTo(event)} label="Copy link">
          Link
        </CopyButton>
      )}
      <CopyButton text={event.message} label="Copy text">
        Text
      </CopyButton>
      <CopyButton text={jsonOf(event)} label="Copy JSON">
        JSON
      </CopyButton>
      {event.id && (
        <CopyButton text={curlOf(event.id, location.origin)} label="Copy curl">
          curl
        </CopyButton>
      )}
      {event.trace_id && onTrace && (
        <button type="button" class="button small same-trace" onClick={() => onTrace(event)}>
          Same trace
        </button>
      )}
    </div>
  );
}

/** A link that shows the event with the minute around it, whenever it is opened. */
export function linkTo(event: LogEvent): string {
  const at = Date.parse(event.timestamp);
  return location.origin + writeAddress({ range: between(at - LINK_MS, at + LINK_MS), event: event.id ?? null });
}
