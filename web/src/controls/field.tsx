import type { ComponentChildren, InputHTMLAttributes } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

type Input = Omit<InputHTMLAttributes<HTMLInputElement>, "class" | "id">;

export interface FieldProps extends Input {
  label: string;
  name: string;
  hint?: ComponentChildren;
  wrong?: string | undefined;
  /** The field has the focus when its page opens. `autofocus` works for the first page only. */
  first?: boolean;
}

/** A labelled input with its hint and what is wrong with its value; a rejected field gets the focus. */
export function Field({ label, hint, wrong, first = false, ...input }: FieldProps) {
  const id = useId();
  const element = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (wrong || first) element.current?.focus();
  }, [wrong, first]);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        {...input}
        ref={element}
        id={id}
        class="input"
        aria-invalid={wrong ? "true" : undefined}
        aria-describedby={`${id}-hint ${id}-wrong`}
      />
      <div id={`${id}-hint`} class="hint" hidden={!hint}>
        {hint}
      </div>
      <div id={`${id}-wrong`} class="wrong" role="alert" hidden={!wrong}>
        {wrong}
      </div>
    </div>
  );
}

/** A code that was mailed; it has the focus when it appears. */
export function CodeField({ wrong }: { wrong: string | undefined }) {
  return (
    <Field label="Code" name="code" inputMode="numeric" autocomplete="one-time-code" first required wrong={wrong} />
  );
}

export function Check({ label, ...input }: Input & { label: ComponentChildren; name: string }) {
  return (
    <label class="check">
      <input type="checkbox" {...input} />
      <span>{label}</span>
    </label>
  );
}
