import { Problem } from "./problem";
import { State, type Tone } from "./state";
import { useSubmission } from "./submission";

/** What becomes of an export: of the account's data, or of the events of a search. */
export type ExportState = "requested" | "running" | "ready" | "expired" | "failed";

const TONES: Record<ExportState, Tone> = {
  requested: "busy",
  running: "busy",
  ready: "good",
  expired: "quiet",
  failed: "bad",
};

/** Whether its state will change by itself. */
export function isInProgress(state: ExportState): boolean {
  return TONES[state] === "busy";
}

export function ExportStateMark({ state }: { state: ExportState }) {
  return <State tone={TONES[state]}>{state}</State>;
}

/** A link works for an hour at most, so each click makes a new one; there is none when the file is gone. */
export function Download({ link }: { link(): Promise<string | null | undefined> }) {
  const form = useSubmission([], async () => {
    const made = await link();
    if (!made) throw new Error("The file cannot be reached any more. Request another export.");
    location.assign(made);
  });
  return (
    <form onSubmit={form.onSubmit}>
      <button class="button small" disabled={form.busy}>
        Download
      </button>
      <Problem problem={form.problem} />
    </form>
  );
}
