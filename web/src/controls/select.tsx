import type { ComponentChildren, SelectHTMLAttributes } from "preact";
import { useId } from "preact/hooks";
import "./panels.css";

/** A labelled choice of one. */
export function Select(
  props: Omit<SelectHTMLAttributes<HTMLSelectElement>, "class" | "id"> & {
    label: string;
    name: string;
    hint?: string;
    children: ComponentChildren;
  },
) {
  const { label, hint, children, ...select } = props;
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select {...select} id={id} class="input select" aria-describedby={hint ? `${id}-hint` : undefined}>
        {children}
      </select>
      {hint && (
        <div id={`${id}-hint`} class="hint">
          {hint}
        </div>
      )}
    </div>
  );
}
