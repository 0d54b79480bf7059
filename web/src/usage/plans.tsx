import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { ApiProblem } from "../api/problem";
import type { BillingState, PlanTerms } from "../api/schema";
import { ConfirmDialog } from "../controls/dialog";
import { money } from "../controls/format";
import { Problem } from "../controls/problem";
import { useSubmission } from "../controls/submission";
import { Submit } from "../controls/submit";
import { changePlan, checkoutUrl } from "./api";
import { isSubscribed } from "./standing";

export function Plans({ billing, onChanged }: { billing: BillingState; onChanged(state: BillingState): void }) {
  const [chosen, setChosen] = useState<PlanTerms | null>(null);
  const subscribed = isSubscribed(billing);
  return (
    <section aria-labelledby="plans">
      <h2 id="plans">Plans</h2>
      <ul class="plans">
        {billing.plans.map((terms) => {
          const current = subscribed && terms.plan === billing.plan;
          return (
            <li key={terms.plan} data-current={current ? "" : undefined}>
              <Terms terms={terms} />
              {current ? (
                <p class="dim">Your plan</p>
              ) : subscribed ? (
                <div>
                  <button
                    type="button"
                    class="button"
                    aria-label={`Change to this plan: ${terms.title}`}
                    onClick={() => setChosen(terms)}
                  >
                    Change to this plan
                  </button>
                </div>
              ) : (
                <Buy terms={terms} />
              )}
            </li>
          );
        })}
      </ul>
      {chosen && <ChangePlan from={billing.terms} to={chosen} onChanged={onChanged} onClose={() => setChosen(null)} />}
    </section>
  );
}

function Terms({ terms }: { terms: PlanTerms }) {
  return (
    <div class="stack">
      <div>
        <h3>{terms.title}</h3>
        <p>
          <span class="price">{money(terms.monthly_cents, terms.currency)}</span> <span class="dim">a month</span>
        </p>
      </div>
      <ul>
        <li>{terms.included_gb} GB a month included</li>
        <li>{money(terms.cents_a_gb, terms.currency)} for each GB beyond</li>
        <li>
          {terms.plan === "byoc" ? "In your own bucket and ClickHouse" : `Searchable for ${terms.retention_days} days`}
        </li>
      </ul>
    </div>
  );
}

function Buy({ terms }: { terms: PlanTerms }) {
  const form = useSubmission([], async () => location.assign(await checkoutUrl(terms.plan)));
  return (
    <form class="stack" onSubmit={form.onSubmit}>
      <PlanProblem problem={form.problem} />
      <div>
        <Submit form={form} kind="primary" busy="Opening Stripe…" aria-label={`Buy this plan: ${terms.title}`}>
          Buy this plan
        </Submit>
      </div>
    </form>
  );
}

/** The one plan that needs something first links to it. */
function PlanProblem({ problem }: { problem: Error | null }) {
  if (!(problem instanceof ApiProblem && problem.code === "no_destination")) return <Problem problem={problem} />;
  return (
    <div class="notice bad" role="alert">
      <p>
        This plan needs your own bucket and ClickHouse. <Link href="/settings/destination">Set the destination</Link>,
        then choose the plan.
      </p>
    </div>
  );
}

function ChangePlan(props: {
  from: PlanTerms | null;
  to: PlanTerms;
  onChanged(state: BillingState): void;
  onClose(): void;
}) {
  const { from, to } = props;
  const dearer = to.monthly_cents > (from?.monthly_cents ?? 0);
  const shorter = from !== null && to.retention_days < from.retention_days;
  return (
    <ConfirmDialog
      title={`Change to ${to.title}`}
      action={dearer ? "Change and pay the difference" : "Change the plan"}
      keep="Keep the current plan"
      onConfirm={async () => props.onChanged(await changePlan(to.plan))}
      onClose={props.onClose}
    >
      <p>
        {dearer
          ? "The difference for the rest of this period is charged now. If the card is declined, nothing changes."
          : "The difference for the rest of this period is credited on the next invoice."}
      </p>
      {shorter && (
        <p>
          Logs are then kept for {to.retention_days} days instead of {from.retention_days}. Older logs are deleted seven
          days after the change.
        </p>
      )}
    </ConfirmDialog>
  );
}
