import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { formatQuery, type Completion } from "../api";
import { Completing } from "./completing";
import { pastQueries } from "./history";
import { tokensOf } from "./tokens";
import "./query-field.css";

const SHOWN = 10;
const numbers = new Intl.NumberFormat();

export interface QueryFieldProps {
  /** The query of the address; the field shows it whenever it changes. */
  query: string;
  field: RefObject<HTMLTextAreaElement>;
  /** The offset of an error in `query`, in UTF-16 units; null without one. */
  wrongAt: number | null;
  onSubmit(query: string): void;
}

/** The query as text with colours behind it, completions below it, and the last queries on the arrow up. */
export function QueryField({ query, field, wrongAt, onSubmit }: QueryFieldProps) {
  const [text, setText] = useState(query);
  const past = useRef<number | null>(null);
  const completing = useMemo(() => new Completing(), []);
  useEffect(() => () => completing.close(), [completing]);
  useEffect(() => {
    setText(query);
    past.current = null;
    completing.close();
  }, [query, completing]);

  function accept(option: Completion): void {
    const { start, end, insert, query: next } = completing.applied(text, option);
    insertText(field.current!, start, end, insert);
    setText(next);
    completing.close();
    if (insert.endsWith(":")) completing.ask(next, start + insert.length);
  }

  function recall(by: number): boolean {
    const queries = pastQueries();
    const next = (past.current ?? -1) + by;
    if (next < -1 || next >= queries.length || (past.current === null && text !== "" && text !== query)) return false;
    past.current = next < 0 ? null : next;
    setText(next < 0 ? "" : queries[next]!);
    return true;
  }

  async function format(): Promise<void> {
    const typed = text;
    try {
      const formatted = await formatQuery(typed);
      if (field.current?.value !== typed) return;
      insertText(field.current, 0, typed.length, formatted);
      setText(formatted);
      completing.close();
    } catch {
      // A search of it says what is wrong, and where.
      onSubmit(typed);
    }
  }

  function press(event: KeyboardEvent): void {
    const { value: chosen } = completing.chosen;
    const options = completing.options.value.slice(0, SHOWN);
    const open = options.length > 0;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by !== undefined && open) completing.move(by);
    else if (by !== undefined && recall(-by)) completing.close();
    else if (event.key === "Tab" && open && !event.shiftKey) accept(options[chosen ?? 0]!);
    else if (event.key === "Enter" && chosen !== null && open) accept(options[chosen]!);
    else if (event.code === "KeyF" && event.altKey && event.shiftKey) void format();
    else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      completing.close();
      onSubmit(text);
    } else if (event.key === "Escape" && open) completing.close();
    else if (event.key === "Escape") field.current!.blur();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  const options = completing.options.value.slice(0, SHOWN);
  const chosen = completing.chosen.value;
  return (
    <div class="query-field">
      <div class="query-scroll">
        <Colours text={text} wrongAt={text === query ? wrongAt : null} />
        <textarea
          ref={field}
          class="query"
          rows={1}
          role="combobox"
          aria-label="Query"
          aria-expanded={options.length > 0}
          aria-autocomplete="list"
          aria-controls="completions"
          aria-activedescendant={chosen === null ? undefined : `completion-${chosen}`}
          aria-invalid={wrongAt !== null}
          placeholder='level:error service:checkout "timed out"'
          autocomplete="off"
          autocapitalize="off"
          enterkeyhint="search"
          spellcheck={false}
          value={text}
          onInput={(event) => {
            const { value, selectionStart } = event.currentTarget;
            past.current = null;
            setText(value);
            if (value.trim() === "") completing.close();
            else completing.ask(value, selectionStart);
          }}
          onKeyDown={press}
          onBlur={() => completing.close()}
        />
      </div>
      <Options options={options} chosen={chosen} onAccept={accept} />
    </div>
  );
}

/** The same text with its colours, below the one that is typed in. */
function Colours({ text, wrongAt }: { text: string; wrongAt: number | null }) {
  const tokens = useMemo(() => tokensOf(text), [text]);
  const shown = [];
  let at = 0;
  for (const { kind, start, end } of tokens) {
    if (start > at) shown.push(text.slice(at, start));
    const wrong = wrongAt !== null && wrongAt >= start && wrongAt < end ? " wrong-token" : "";
    shown.push(
      <span key={start} class={`token tok-${kind}${wrong}`}>
        {text.slice(start, end)}
      </span>,
    );
    at = end;
  }
  const beyond = wrongAt !== null && wrongAt >= at;
  return (
    <div class="colours" aria-hidden="true">
      {shown}
      {text.slice(at)}
      {beyond ? <span class="wrong-token">{"\u00a0"}</span> : "\u200b"}
    </div>
  );
}

interface OptionsProps {
  options: readonly Completion[];
  chosen: number | null;
  onAccept(option: Completion): void;
}

function Options({ options, chosen, onAccept }: OptionsProps) {
  const list = useRef<HTMLUListElement>(null);
  useLayoutEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  return (
    <ul
      id="completions"
      ref={list}
      class="completions"
      role="listbox"
      aria-label="Completions"
      hidden={options.length === 0}
    >
      {options.map((option, index) => (
        <li
          key={`${option.kind} ${option.insert}`}
          id={`completion-${index}`}
          role="option"
          aria-selected={chosen === index}
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => onAccept(option)}
        >
          <span class={`token tok-${option.kind}`}>{option.label}</span>
          <span class="detail">{option.detail}</span>
          <span class="count">{option.count === undefined ? "" : numbers.format(option.count)}</span>
        </li>
      ))}
    </ul>
  );
}

/** Replace a range as if it were typed, so that the browser can undo it. */
function insertText(field: HTMLTextAreaElement, start: number, end: number, text: string): void {
  field.focus();
  field.setSelectionRange(start, end);
  if (!document.execCommand("insertText", false, text)) field.setRangeText(text, start, end, "end");
}
