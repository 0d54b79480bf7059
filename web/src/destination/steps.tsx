import type { TestReport, TestStep } from "../api/schema";
import { State } from "../controls/state";

/** Every step of a test in its order; the first is run with a role only. */
const STEPS = [
  ["bucket.assume_role", "Assume your role"],
  ["bucket.reach", "Reach the bucket"],
  ["bucket.authenticate", "Sign in to the bucket"],
  ["bucket.write", "Write an object"],
  ["bucket.write_once", "Refuse to overwrite it"],
  ["bucket.read", "Read it"],
  ["bucket.delete", "Delete it"],
  ["clickhouse.reach", "Reach ClickHouse"],
  ["clickhouse.authenticate", "Sign in to ClickHouse"],
  ["clickhouse.version", "Check its version"],
  ["clickhouse.table", "Create and check the tables"],
  ["clickhouse.delete", "Delete a row"],
  ["clickhouse.write", "Write a row twice as one batch"],
  ["clickhouse.read", "Find the row once"],
  ["clickhouse.guarantee", "Determine the delivery guarantee"],
] as const;

const NAMES = new Map<string, string>(STEPS);

/** The steps of a test that is running, and then each outcome with what to do about it. */
export function Steps({ report, withRole }: { report: TestReport | null; withRole: boolean }) {
  if (report === null) {
    return (
      <div class="stack" role="status">
        <p class="dim">Testing: up to 25 seconds. Nothing is stored before every step passes.</p>
        <ol class="steps-list" aria-hidden="true">
          {STEPS.filter(([step]) => withRole || step !== "bucket.assume_role").map(([step, name]) => (
            <li key={step}>
              <State tone="quiet">…</State>
              <span class="dim">{name}</span>
            </li>
          ))}
        </ol>
      </div>
    );
  }
  const failed = report.steps.filter((each) => each.ok === false).length;
  return (
    <div class="stack">
      <p class={`notice ${report.usable ? "good" : "bad"}`} role="status">
        {report.usable
          ? `Every step passed. Each batch is stored ${report.guarantee === "exactly_once" ? "exactly once" : "at least once"}.`
          : `${failed === 1 ? "One step" : `${failed} steps`} failed. Nothing is stored; what to do is beside each.`}
      </p>
      <ol class="steps-list">
        {report.steps.map((step) => (
          <Step key={step.step} step={step} />
        ))}
      </ol>
    </div>
  );
}

function Step({ step }: { step: TestStep }) {
  const failed = step.ok === false;
  return (
    <li>
      <State tone={step.skipped ? "quiet" : failed ? "bad" : "good"}>
        {step.skipped ? "not run" : failed ? "failed" : "passed"}
      </State>
      <div>
        <p>{NAMES.get(step.step) ?? step.step}</p>
        <p class="dim">{step.detail}</p>
        {step.fix && <p class={failed ? "fix" : "dim"}>{step.fix}</p>}
      </div>
    </li>
  );
}
