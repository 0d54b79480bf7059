import { isLosslessNumber, stringify } from "lossless-json";
import { useState } from "preact/hooks";
import { Skeleton } from "../controls/skeleton";
import type { FieldEntry, Fields, Filter } from "./api";
import { columnName, LEVELS, type ShownField } from "./event";
import { Glyph } from "./glyphs";
import { Marked } from "./marked";
import { NumberSummary, isMeasure } from "./number-summary";
import { condition, conditionsOf } from "./query-text";

const numbers = new Intl.NumberFormat();
const percent = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });
const FIRST_VALUES = 5;
const STORED = "astralog.pinned-fields";
const FIRST = ["level", "service", "project_id"];
const MOST_PINNED = 20;
const HIDDEN = ["trace_id", "span_id"];

export interface FacetsProps {
  fields: Fields | null;
  stale: boolean;
  problem: Error | null;
  query: string;
  columns: readonly string[];
  filter: Filter;
  /** Add the condition to the query, or remove it if it is there. */
  onToggle(condition: string): void;
  onColumn(name: string): void;
}

/** The fields of the events with their most frequent values; each value builds the query. */
export function Facets({ fields, stale, problem, query, columns, filter, onToggle, onColumn }: FacetsProps) {
  const [wanted, setWanted] = useState("");
  const [pinned, setPinned] = useState(readPinned);
  const used = conditionsOf(query);
  const found = ordered(fields?.fields ?? [], pinned).filter(({ name }) =>
    name.toLowerCase().includes(wanted.toLowerCase()),
  );

  function pin(name: string): void {
    const next = pinned.includes(name) ? pinned.filter((each) => each !== name) : [name, ...pinned];
    setPinned(next.slice(0, MOST_PINNED));
    storePinned(next.slice(0, MOST_PINNED));
  }

  return (
    <aside class="facets" aria-label="Fields">
      <input
        class="input find"
        type="search"
        placeholder="Find a field"
        aria-label="Find a field"
        value={wanted}
        onInput={(event) => setWanted(event.currentTarget.value)}
      />
      {problem && <p class="faint sampled">The fields could not be loaded: {problem.message}</p>}
      {fields === null && !problem && <Skeleton lines={8} />}
      {fields !== null && !problem && (
        <div class={stale ? "stale" : ""}>
          {found.length === 0 && (
            <p class="faint sampled">{wanted ? "No field has this name." : "No events, so no fields."}</p>
          )}
          {found.map((field) => (
            <Facet
              key={field.name}
              field={field}
              filter={filter}
              used={used}
              pinned={pinned.includes(field.name)}
              isColumn={columns.includes(columnName(field.name))}
              onToggle={onToggle}
              onPin={() => pin(field.name)}
              onColumn={() => onColumn(columnName(field.name))}
            />
          ))}
          {fields.truncated && <p class="faint sampled">There are more fields than are listed.</p>}
          {fields.rows > fields.sampled_rows && (
            <p class="faint sampled">
              Counts of the newest {numbers.format(fields.sampled_rows)} of {numbers.format(fields.rows)} events.
            </p>
          )}
        </div>
      )}
    </aside>
  );
}

interface FacetProps {
  field: FieldEntry;
  filter: Filter;
  used: readonly string[];
  pinned: boolean;
  isColumn: boolean;
  onToggle(condition: string): void;
  onPin(): void;
  onColumn(): void;
}

function Facet({ field, filter, used, pinned, isColumn, onToggle, onPin, onColumn }: FacetProps) {
  const [all, setAll] = useState(false);
  const first = isMeasure(field) ? 0 : FIRST_VALUES;
  const values = all ? field.top : field.top.slice(0, first);
  const most = field.top.reduce((sum, { count }) => sum + count, 0);
  const rest = field.distinct - field.top.length;
  const label = isText(field.name) ? field.name : `@${field.name}`;
  return (
    <section class="facet">
      <h2 title={`${label}: ${field.types.join(", ")}, in ${percent.format(field.share)} of the events`}>
        <span>
          <Marked text={label} />
        </span>
        {!FIRST.includes(field.name) && (
          <button
            type="button"
            aria-pressed={isColumn}
            aria-label={`Column ${field.name}`}
            title="A column of the lines"
            onClick={onColumn}
          >
            <Glyph name="column" />
          </button>
        )}
        <button
          type="button"
          aria-pressed={pinned}
          aria-label={`Pin ${field.name}`}
          title="Keep it at the top"
          onClick={onPin}
        >
          <Glyph name="pin" />
        </button>
      </h2>
      {isMeasure(field) && <NumberSummary field={field} filter={filter} />}
      <ul>
        {values.map(({ value, count }) => (
          <FacetValue
            key={`${typeof value} ${value}`}
            field={label}
            value={value}
            count={count}
            share={count / most}
            used={used}
            onToggle={onToggle}
          />
        ))}
      </ul>
      {field.top.length === 0 && <p class="faint">no single values</p>}
      {field.top.length > first && (
        <button type="button" class="more" onClick={() => setAll(!all)}>
          {all ? "fewer" : first === 0 ? "most frequent values" : `${field.top.length - first} more`}
        </button>
      )}
      {all && rest > 0 && <p class="faint">and {numbers.format(rest)} other values</p>}
    </section>
  );
}

function FacetValue(props: {
  field: string;
  value: unknown;
  count: number;
  share: number;
  used: readonly string[];
  onToggle(condition: string): void;
}) {
  const { field, value, count, share, used, onToggle } = props;
  const shown = shownValue(field, value);
  const [include, exclude] = [condition(shown), condition(shown, true)];
  const level = field === "level" && LEVELS.includes(shown.text as (typeof LEVELS)[number]) ? shown.text : "";
  return (
    <li class={used.includes(include) ? "on" : ""} data-condition={include}>
      <button
        type="button"
        class="value"
        aria-pressed={used.includes(include)}
        title={include}
        onClick={() => onToggle(include)}
      >
        <i class={`dot ${level}`} />
        <span>
          <span class="hidden-text">Include {field} </span>
          {shown.text === "" ? '""' : <Marked text={shown.text} />}
        </span>
        <em>{numbers.format(count)}</em>
      </button>
      <button
        type="button"
        class="exclude"
        aria-pressed={used.includes(exclude)}
        aria-label={`Exclude ${field} ${shown.text}`}
        title={exclude}
        onClick={() => onToggle(exclude)}
      >
        −
      </button>
      <span class={`share ${level}`} style={{ width: `${Math.max(1, share * 100)}%` }} />
    </li>
  );
}

/** A value of the API as a query writes it, with its digits. */
function shownValue(name: string, value: unknown): ShownField {
  if (typeof value === "string") return { name, kind: "text", text: value };
  if (isLosslessNumber(value)) return { name, kind: "number", text: value.toString() };
  return { name, kind: "constant", text: stringify(value) ?? "null" };
}

function isText(name: string): boolean {
  return ["level", "service", "project_id", "trace_id", "span_id", "message"].includes(name) || name.startsWith("@");
}

/** Pinned fields, then level, service and project, then those that most events have. */
function ordered(fields: readonly FieldEntry[], pinned: readonly string[]): FieldEntry[] {
  const rank = (name: string) => {
    if (pinned.includes(name)) return pinned.indexOf(name) - MOST_PINNED;
    return FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length;
  };
  const useful = fields.filter((field) => field.share > 0 && !HIDDEN.includes(field.name) && !isPlain(field));
  return [...useful].sort((a, b) => rank(a.name) - rank(b.name) || b.share - a.share || a.distinct - b.distinct);
}

/** Whether it is the project of an account that uses none. */
function isPlain(field: FieldEntry): boolean {
  return field.name === "project_id" && field.distinct === 1 && field.top[0]?.value === "default";
}

function readPinned(): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(STORED) ?? "[]");
    return Array.isArray(stored) ? stored.filter((each) => typeof each === "string").slice(0, MOST_PINNED) : [];
  } catch {
    return [];
  }
}

function storePinned(names: readonly string[]): void {
  try {
    localStorage.setItem(STORED, JSON.stringify(names));
  } catch {
    // A browser that stores nothing keeps them for this visit.
  }
}
