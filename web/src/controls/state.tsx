import "./panels.css";

export type Tone = "good" | "bad" | "busy" | "quiet";

/** A state in one word; its colour repeats what the word says. */
export function State({ tone, children }: { tone: Tone; children: string }) {
  return <span class={`state ${tone}`}>{children}</span>;
}
