import { useRef, useState } from "preact/hooks";
import { ApiProblem } from "../api/problem";

export interface Submission {
  busy: boolean;
  /** What went wrong, unless it is said beside a field. */
  problem: Error | null;
  /** The rejection of a field of the request, in words; undefined if the field is not the cause. */
  wrong(field: string): string | undefined;
  onSubmit(event: Event): void;
}

/**
 * The state of a form whose submission is `action`.
 *
 * @param fields the request fields that the form shows; a rejection of another one is the form's `problem`.
 */
export function useSubmission(fields: readonly string[], action: (form: FormData) => Promise<void>): Submission {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Error | null>(null);
  const running = useRef(false);
  const shown = problem instanceof ApiProblem && problem.field !== null && fields.includes(problem.field);

  async function submit(form: FormData): Promise<void> {
    if (running.current) return;
    running.current = true;
    setBusy(true);
    setProblem(null);
    try {
      await action(form);
    } catch (fault) {
      setProblem(fault instanceof Error ? fault : new Error(String(fault)));
    } finally {
      running.current = false;
      setBusy(false);
    }
  }

  return {
    busy,
    problem: shown ? null : problem,
    wrong: (field) => (shown && problem.field === field ? problem.message : undefined),
    onSubmit: (event) => {
      event.preventDefault();
      void submit(new FormData(event.currentTarget as HTMLFormElement));
    },
  };
}

/** The text of a form's field, trimmed. */
export function textOf(form: FormData, name: string): string {
  return String(form.get(name) ?? "").trim();
}
