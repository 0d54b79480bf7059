import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Problem } from "./problem";
import { useSubmission } from "./submission";

export interface ConfirmProps {
  title: string;
  /** What the button does, as a verb. */
  action: string;
  keep: string;
  danger?: boolean;
  /** A text that must be typed before the button works. */
  typed?: { label: ComponentChildren; text: string };
  children: ComponentChildren;
  onConfirm(): Promise<void>;
  /** Called without `onConfirm` when the dialog is closed, and after it when it succeeds. */
  onClose(): void;
}

const MISMATCH = "The text differs from what is asked for. Type it exactly as it is shown.";

/** A question before an action that cannot be undone, or that costs money. */
export function ConfirmDialog(props: ConfirmProps) {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const form = useSubmission(["typed"], async (data) => {
    if (props.typed && data.get("typed") !== props.typed.text) throw new Error(MISMATCH);
    await props.onConfirm();
    props.onClose();
  });
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby={`${id}-title`} onClose={props.onClose}>
      <form class="stack" onSubmit={form.onSubmit} noValidate>
        <h2 id={`${id}-title`}>{props.title}</h2>
        <div class="stack">{props.children}</div>
        {props.typed && <Typed id={id} {...props.typed} />}
        <Problem problem={form.problem} />
        <div class="row">
          <button class={props.danger ? "button danger" : "button primary"} disabled={form.busy}>
            {props.action}
          </button>
          <button type="button" class="button" onClick={() => dialog.current?.close()}>
            {props.keep}
          </button>
        </div>
      </form>
    </dialog>
  );
}

function Typed({ id, label, text }: { id: string; label: ComponentChildren; text: string }) {
  return (
    <div class="field typed">
      <label for={`${id}-typed`}>{label}</label>
      <input
        id={`${id}-typed`}
        name="typed"
        class="input"
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        required
        aria-describedby={`${id}-must`}
      />
      <p id={`${id}-must`} class="hint">
        Type <code>{text}</code>
      </p>
    </div>
  );
}
