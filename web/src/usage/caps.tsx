import { useState } from "preact/hooks";
import type { BillingState } from "../api/schema";
import { Field } from "../controls/field";
import { Problem } from "../controls/problem";
import { textOf, useSubmission } from "../controls/submission";
import { Submit } from "../controls/submit";
import { changeCaps } from "./api";

/** Caps of a billing period in gigabytes; an empty field removes its cap. */
export function Caps({ billing, onChanged }: { billing: BillingState; onChanged(state: BillingState): void }) {
  const [saved, setSaved] = useState(false);
  const form = useSubmission(["soft_cap_gb", "hard_cap_gb"], async (data) => {
    setSaved(false);
    onChanged(await changeCaps({ soft_cap_gb: capOf(data, "soft_cap_gb"), hard_cap_gb: capOf(data, "hard_cap_gb") }));
    setSaved(true);
  });
  return (
    <section aria-labelledby="caps">
      <h2 id="caps">Caps</h2>
      <p class="dim">In gigabytes of a billing period. You are notified at 80 % and at 100 % of each.</p>
      <form class="stack" onSubmit={form.onSubmit} noValidate aria-labelledby="caps">
        <div class="pair">
          <Field
            label="Soft cap (GB)"
            name="soft_cap_gb"
            inputMode="decimal"
            placeholder="none"
            hint="At 100 %: a warning only."
            defaultValue={capText(billing.soft_cap_gb)}
            wrong={form.wrong("soft_cap_gb")}
          />
          <Field
            label="Hard cap (GB)"
            name="hard_cap_gb"
            inputMode="decimal"
            placeholder="none"
            hint="At 100 %: new logs are rejected until the period is over. Search continues."
            defaultValue={capText(billing.hard_cap_gb)}
            wrong={form.wrong("hard_cap_gb")}
          />
        </div>
        <Problem problem={form.problem} />
        <div class="row">
          <Submit form={form} busy="Saving…">
            Save the caps
          </Submit>
          <span role="status" class="dim">
            {saved && !form.busy ? "Saved. A cap takes effect within two minutes." : ""}
          </span>
        </div>
      </form>
    </section>
  );
}

/** What is no number is sent as it is: the API says what it must be. */
function capOf(data: FormData, name: string): number | null {
  const text = textOf(data, name).replace(",", ".");
  if (text === "") return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : (text as unknown as number);
}

function capText(cap: number | null): string {
  return cap === null ? "" : String(cap);
}
