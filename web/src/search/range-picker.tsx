import { useEffect, useRef, useState } from "preact/hooks";
import { Field } from "../controls/field";
import { textOf } from "../controls/submission";
import { PRESETS, rangeName, resolved, type TimeRange } from "./range";

/** The range as a button; it opens the presets and two fields for any other range. */
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
          <Between range={range} onChoose={choose} />
        </div>
      )}
    </div>
  );
}

function Between({ range, onChoose }: { range: TimeRange; onChoose(range: TimeRange): void }) {
  const [wrong, setWrong] = useState("");
  const { from, to } = resolved(range, Date.now());
  return (
    <form
      class="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        event.stopPropagation();
        const form = new FormData(event.currentTarget);
        const [first, last] = [new Date(textOf(form, "from")), new Date(textOf(form, "to"))];
        if (!(first < last)) return setWrong("The range must end after it begins.");
        onChoose({ from: first.toISOString(), to: last.toISOString() });
      }}
    >
      <Field label="From" name="from" type="datetime-local" step="1" defaultValue={localInput(from)} />
      <Field
        label="To"
        name="to"
        type="datetime-local"
        step="1"
        defaultValue={localInput(to ?? new Date().toISOString())}
        wrong={wrong || undefined}
      />
      <button class="button">Use this range</button>
    </form>
  );
}

/** A time as an input of type `datetime-local` has it: in the browser's zone, to the second. */
function localInput(rfc3339: string): string {
  const at = new Date(rfc3339);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
