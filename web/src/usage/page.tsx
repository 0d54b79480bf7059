import { useState } from "preact/hooks";
import { Link, useSearch } from "wouter-preact";
import type { BillingState, UsageReport } from "../api/schema";
import { Page } from "../app/frame";
import { bytesText, count, dayText, money } from "../controls/format";
import { Loaded } from "../controls/loaded";
import { Problem } from "../controls/problem";
import { useResource } from "../controls/resource";
import { useSubmission } from "../controls/submission";
import { Submit } from "../controls/submit";
import { portalUrl, readBilling, readUsage } from "./api";
import { Caps } from "./caps";
import { UsageChart } from "./chart";
import { chartLines, chartScale } from "./chart-scale";
import { CheckoutResult } from "./checkout-result";
import { forecastBytes, periodDays, priceCents } from "./forecast";
import { Plans } from "./plans";
import { standing } from "./standing";
import "./usage.css";

export function UsagePage() {
  const billing = useResource(readBilling);
  const usage = useResource(readUsage);
  const [changed, setChanged] = useState<BillingState | null>(null);
  const returned = new URLSearchParams(useSearch()).get("checkout");
  const shown = { ...billing, value: changed ?? billing.value };
  const accept = (state: BillingState) => {
    setChanged(state);
    void usage.reload();
  };
  return (
    <Page title="Usage and billing" about="What this period costs so far, and what limits it.">
      <div class="parts">
        {returned && <CheckoutResult result={returned} onBilling={accept} />}
        <section aria-label="This period">
          <Loaded resource={shown} lines={2}>
            {(state) => <StandingNotice billing={state} />}
          </Loaded>
          <Loaded resource={usage} lines={8}>
            {(report) => <Period report={report} billing={shown.value} />}
          </Loaded>
        </section>
        {shown.value && (
          <>
            <Caps billing={shown.value} onChanged={accept} />
            <Plans billing={shown.value} onChanged={accept} />
            {shown.value.status !== "none" && <Portal />}
          </>
        )}
      </div>
    </Page>
  );
}

const ACTIONS = {
  plans: ["#plans", "Choose a plan"],
  caps: ["#caps", "Change the cap"],
  portal: ["#portal", "Open the billing portal"],
} as const;

function StandingNotice({ billing }: { billing: BillingState }) {
  const { tone, text, action } = standing(billing);
  const plan = billing.terms?.title ?? (billing.plan === "trial" ? "Free trial" : billing.plan);
  return (
    <div class={tone === "quiet" ? "notice" : `notice ${tone}`} role={tone === "bad" ? "alert" : undefined}>
      <p>
        <strong>{plan}.</strong> {text}{" "}
        {action === "erasures" ? (
          <Link href="/privacy">Cancel the deletion</Link>
        ) : (
          action && <a href={ACTIONS[action][0]}>{ACTIONS[action][1]}</a>
        )}
      </p>
    </div>
  );
}

function Period({ report, billing }: { report: UsageReport; billing: BillingState | null }) {
  const { period } = report;
  const now = Date.now();
  const days = periodDays(period, report.days, new Date(now).toISOString().slice(0, 10));
  const forecast = forecastBytes(period, now);
  const lines = chartLines(period.included_bytes, billing?.soft_cap_gb ?? null, billing?.hard_cap_gb ?? null);
  const scale = chartScale(Math.max(period.bytes, forecast ?? 0), lines);
  const summary = `${bytesText(period.bytes)} stored from ${dayText(report.from)} to ${dayText(report.to)}`;
  return (
    <>
      <Figures report={report} billing={billing} forecast={forecast} />
      <figure class="stack">
        <UsageChart days={days} scale={scale} forecast={forecast} label={`${summary}, by day.`} />
        <figcaption class="faint">
          Stored bytes since {dayText(period.start.slice(0, 10))}, days in UTC. Rows appear about a minute after they
          are stored.
          {scale.above.map((line) => ` ${line.name}: ${bytesText(line.bytes)}, above this chart.`)}
        </figcaption>
      </figure>
      <details>
        <summary>The same figures as a table</summary>
        <DayTable report={report} />
      </details>
    </>
  );
}

function Figures(props: { report: UsageReport; billing: BillingState | null; forecast: number | null }) {
  const { period } = props.report;
  const terms = props.billing?.terms ?? null;
  const { forecast } = props;
  const isPriced = forecast !== null && terms !== null && period.estimate_cents !== null;
  const price = isPriced ? money(priceCents(terms, forecast), period.currency) : null;
  const included = period.included_bytes ? `of ${bytesText(period.included_bytes)} included` : "";
  return (
    <dl class="figures">
      <div>
        <dt>Stored so far</dt>
        <dd>{bytesText(period.bytes)}</dd>
        <dd class="dim">{included}</dd>
      </div>
      <div>
        <dt>Price so far</dt>
        <dd>{period.estimate_cents === null ? "Free" : money(period.estimate_cents, period.currency)}</dd>
        <dd class="dim">{period.estimate_cents === null ? "during the trial" : "before taxes"}</dd>
      </div>
      <div>
        <dt>Forecast</dt>
        <dd>{forecast === null ? "–" : (price ?? bytesText(forecast))}</dd>
        <dd class="dim">
          {forecast === null
            ? "after the first day"
            : price === null
              ? "at the pace so far"
              : `${bytesText(forecast)} at the pace so far`}
        </dd>
      </div>
      <div>
        <dt>Period ends</dt>
        <dd>{dayText(period.end.slice(0, 10), "short")}</dd>
        <dd class="dim">{period.estimate_cents === null ? "" : "then the next invoice"}</dd>
      </div>
    </dl>
  );
}

function DayTable({ report }: { report: UsageReport }) {
  return (
    <table class="table">
      <thead>
        <tr>
          <th scope="col">Day</th>
          <th scope="col">Rows</th>
          <th scope="col">Bytes</th>
        </tr>
      </thead>
      <tbody>
        {report.days.toReversed().map((each) => (
          <tr key={each.day}>
            <td data-label="Day">{dayText(each.day)}</td>
            <td data-label="Rows" class="number">
              {count(each.rows)}
            </td>
            <td data-label="Bytes" class="number">
              {count(each.bytes)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Portal() {
  const form = useSubmission([], async () => location.assign(await portalUrl()));
  return (
    <section aria-labelledby="portal">
      <h2 id="portal">Card and invoices</h2>
      <p class="dim">Stripe has the card, the invoices and the cancellation. Our service never sees a card number.</p>
      <form class="stack" onSubmit={form.onSubmit}>
        <Problem problem={form.problem} />
        <div>
          <Submit form={form} busy="Opening…">
            Open the billing portal
          </Submit>
        </div>
      </form>
    </section>
  );
}
