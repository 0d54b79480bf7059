import { useEffect, useRef, useState } from "preact/hooks";
import { Field } from "../controls/field";
import { textOf } from "../controls/submission";
import { chooseZone, momentOf, offsetName, zone, zoned, zoneNames } from "../controls/zone";
import { between, PRESETS, rangeName, resolved, type TimeRange } from "./range";
import { rangeFromWords } from "./range-words";

const WORDS_PAUSE_MS = 120;

/** The range as a button; it opens words, presets, exact times and the time zone. */
export function RangePicker({ range, onChoose }: { range: TimeRange; onChoose(range: TimeRange): void }) {
  const [open, setOpen] = useState(false);
  const picker = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const close = (event: Event) => {
      if (!picker.current?.contains(event.target as Node)) setOpen(false);
    };
    addEventListener("pointerdown", close);
    return () => removeEventListener("pointerdown", close);
  }, [open]);

  function closeOnEscape(event: KeyboardEvent): void {
    if (!open || event.key !== "Escape") return;
    event.stopPropagation();
    setOpen(false);
    picker.current?.querySelector("button")?.focus();
  }

  function choose(chosen: TimeRange): void {
    setOpen(false);
    onChoose(chosen);
  }

  return (
    <div class="range" ref={picker} onKeyDown={closeOnEscape}>
      <button type="button" class="button" aria-expanded={open} aria-haspopup="dialog" onClick={() => setOpen(!open)}>
        {rangeName(range, Date.now())}
      </button>
      {open && (
        <div class="range-panel" role="dialog" aria-label="Time range">
          <Words onChoose={choose} />
          <ul>
            {PRESETS.map((preset) => (
              <li key={preset.from}>
                <button
                  type="button"
                  aria-pressed={range.to === null && range.from === preset.from}
                  onClick={() => choose({ from: preset.from, to: null })}
                >
                  {preset.name}
                </button>
              </li>
            ))}
          </ul>
          <div class="stack">
            <Between key={zone.value} range={range} onChoose={choose} />
            <Zone />
          </div>
        </div>
      )}
    </div>
  );
}

/** A time in words, with what they mean below; Enter searches it. */
function Words({ onChoose }: { onChoose(range: TimeRange): void }) {
  const [words, setWords] = useState("");
  const [meant, setMeant] = useState<TimeRange | null>(null);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  useEffect(() => {
    let current = true;
    const read = () => void rangeFromWords(words, Date.now()).then((range) => current && setMeant(range));
    const timer = setTimeout(read, WORDS_PAUSE_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [words]);
  const hint = meant ? rangeName(meant, Date.now()) : words.trim() ? "These words mean no time." : "";
  return (
    <form
      class="words"
      onSubmit={(event) => {
        event.preventDefault();
        event.stopPropagation();
        void rangeFromWords(words, Date.now()).then((range) => range && onChoose(range));
      }}
    >
      <input
        ref={field}
        class="input"
        aria-label="Time in words"
        placeholder="last 2 hours, yesterday 9 to 10"
        autocomplete="off"
        value={words}
        onInput={(event) => setWords(event.currentTarget.value)}
      />
      <p class="faint" role="status">
        {hint}
      </p>
    </form>
  );
}

function Zone() {
  return (
    <label class="zone">
      <span>Time zone</span>
      <select class="input" value={zone.value} onChange={(event) => chooseZone(event.currentTarget.value)}>
        {zoneNames().map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

function Between({ range, onChoose }: { range: TimeRange; onChoose(range: TimeRange): void }) {
  const [wrong, setWrong] = useState("");
  const [shown] = useState(() => {
    const { from, to = new Date().toISOString() } = resolved(range, Date.now());
    return { from, to };
  });
  return (
    <form
      class="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        event.stopPropagation();
        const form = new FormData(event.currentTarget);
        const [first, last] = [moment(textOf(form, "from"), shown.from), moment(textOf(form, "to"), shown.to)];
        if (!(first < last)) return setWrong("The range must end after it begins.");
        onChoose(between(first, last));
      }}
    >
      <Field
        label={`From (${offsetName(Date.parse(shown.from))})`}
        name="from"
        type="datetime-local"
        step="1"
        defaultValue={localInput(shown.from)}
      />
      <Field
        label={`To (${offsetName(Date.parse(shown.to))})`}
        name="to"
        type="datetime-local"
        step="1"
        defaultValue={localInput(shown.to)}
        wrong={wrong || undefined}
      />
      <button class="button">Use this range</button>
    </form>
  );
}

/** A time as an input of type `datetime-local` has it: in the chosen zone, to the second. */
function localInput(rfc3339: string): string {
  return zoned(Date.parse(rfc3339)).toISOString().slice(0, 19);
}

/** The moment of such an input's text: exactly `shown` unless it was changed; NaN for none. */
function moment(text: string, shown: string): number {
  const at = Date.parse(`${text}Z`);
  return at === Date.parse(`${localInput(shown)}Z`) ? Date.parse(shown) : momentOf(at);
}
