import { useState } from "preact/hooks";
import { CopyButton } from "../controls/snippet";
import { ago } from "../controls/time";
import { fieldsOf, jsonOf, type LogEvent, type ShownField } from "./event";
import { Marked } from "./marked";
import { condition } from "./query-text";
import { lineTime, zoneName } from "./range";

export interface EventPanelProps {
  event: LogEvent;
  words: readonly string[];
  onFilter(condition: string): void;
  onClose(): void;
}

/** One event beside the lines: its message, its fields with a filter for each, its JSON. */
export function EventPanel({ event, words, onFilter, onClose }: EventPanelProps) {
  const [tab, setTab] = useState<"event" | "json">("event");
  const seconds = (Date.now() - Date.parse(event.timestamp)) / 1000;
  return (
    <aside class="event" aria-label="Event">
      <div class="tabs" role="tablist">
        <Tab name="Event" on={tab === "event"} choose={() => setTab("event")} />
        <Tab name="JSON" on={tab === "json"} choose={() => setTab("json")} />
        <button type="button" class="button plain small close" onClick={onClose} aria-label="Close the event">
          ✕
        </button>
      </div>
      {tab === "json" ? (
        <pre class="json" tabIndex={0}>
          {jsonOf(event)}
        </pre>
      ) : (
        <>
          <p class="when">
            <button
              type="button"
              class={`level-name ${event.level}`}
              onClick={() => onFilter(condition({ name: "level", kind: "text", text: event.level }))}
            >
              {event.level}
            </button>
            <time class="dim" dateTime={event.timestamp}>
              {lineTime(event.timestamp, true)} {zoneName(Date.parse(event.timestamp))}
              {seconds >= 0 && ` · ${ago(seconds)}`}
            </time>
          </p>
          <p class="whole">
            <Marked text={event.message} words={words} />
          </p>
          {event.message_cut && <p class="faint">The message is longer than what a search returns.</p>}
          <dl class="fields">
            {fieldsOf(event).map((field) => (
              <Field key={field.name} field={field} onFilter={onFilter} />
            ))}
          </dl>
        </>
      )}
      <div class="row">
        <CopyButton text={event.message}>Copy text</CopyButton>
        <CopyButton text={jsonOf(event)}>Copy JSON</CopyButton>
        {event.service && (
          <button
            type="button"
            class="button small"
            onClick={() => onFilter(condition({ name: "service", kind: "text", text: event.service }, true))}
          >
            Exclude the service
          </button>
        )}
        {event.trace_id && (
          <button
            type="button"
            class="button small"
            onClick={() => onFilter(condition({ name: "trace_id", kind: "text", text: event.trace_id }))}
          >
            Same trace
          </button>
        )}
      </div>
    </aside>
  );
}

function Tab({ name, on, choose }: { name: string; on: boolean; choose(): void }) {
  return (
    <button type="button" role="tab" aria-selected={on} onClick={choose}>
      {name}
    </button>
  );
}

function Field({ field, onFilter }: { field: ShownField; onFilter(condition: string): void }) {
  return (
    <>
      <dt>{field.name}</dt>
      <dd class={field.kind}>
        <button
          type="button"
          title={`Include ${condition(field)}`}
          aria-label={`Include ${field.name} ${field.text}`}
          onClick={() => onFilter(condition(field))}
        >
          {field.text === "" ? '""' : field.text}
        </button>
        <button
          type="button"
          class="exclude"
          title={`Exclude: ${condition(field, true)}`}
          aria-label={`Exclude ${field.name} ${field.text}`}
          onClick={() => onFilter(condition(field, true))}
        >
          −
        </button>
      </dd>
    </>
  );
}
