import type { ButtonHTMLAttributes } from "preact";

export interface SubmitProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, "class" | "disabled" | "form"> {
  form: { readonly busy: boolean };
  /** What the button says while its form is sent. */
  busy: string;
  kind?: "primary" | "small";
  children: string;
}

/** The button of a form: it cannot be pressed again while the form is sent. */
export function Submit({ form, busy, kind, children, ...button }: SubmitProps) {
  return (
    <button {...button} class={kind ? `button ${kind}` : "button"} disabled={form.busy}>
      {form.busy ? busy : children}
    </button>
  );
}
