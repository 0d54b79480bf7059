import { Problem } from "./problem";
import { useSubmission } from "./submission";
import { Submit } from "./submit";

/** A button below a list that loads its next page. */
export function More({ load, children }: { load(): Promise<void>; children: string }) {
  const form = useSubmission([], load);
  return (
    <form onSubmit={form.onSubmit}>
      <Problem problem={form.problem} />
      <Submit form={form} busy="Loading…">
        {children}
      </Submit>
    </form>
  );
}
