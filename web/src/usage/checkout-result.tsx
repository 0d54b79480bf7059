import { useCallback, useEffect, useState } from "preact/hooks";
import { useLocation } from "wouter-preact";
import type { BillingState } from "../api/schema";
import { usePolling } from "../controls/polling";
import { readBilling } from "./api";
import { isSubscribed } from "./standing";

const PATIENCE_MS = 60_000;

/** What happened on Stripe's page that led back here: `result` is "done", or "left" for a checkout that was left. */
export function CheckoutResult({ result, onBilling }: { result: string; onBilling(state: BillingState): void }) {
  const [, go] = useLocation();
  const dismiss = () => go("/billing", { replace: true });
  return result === "done" ? (
    <Bought onBilling={onBilling} onDismiss={dismiss} />
  ) : (
    <Result tone="" onDismiss={dismiss}>
      You left Stripe's page before the end. Nothing was bought, and nothing is charged.
    </Result>
  );
}

/** Stripe reports a purchase by itself, normally within seconds: until then the page looks for it. */
function Bought({ onBilling, onDismiss }: { onBilling(state: BillingState): void; onDismiss(): void }) {
  const [bought, setBought] = useState<BillingState | null>(null);
  const [late, setLate] = useState(false);
  const look = useCallback(async () => {
    const state = await readBilling(new AbortController().signal).catch(() => null);
    if (state && isSubscribed(state)) {
      setBought(state);
      onBilling(state);
    }
  }, []);
  useEffect(() => {
    void look();
    const timer = setTimeout(() => setLate(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [look]);
  usePolling(bought === null && !late, look);
  if (bought) {
    return (
      <Result tone="good" onDismiss={onDismiss}>
        Thank you. Your plan is now {bought.terms?.title ?? bought.plan}.
        {bought.status === "trialing" && " The rest of the trial stays free; the first payment follows it."}
      </Result>
    );
  }
  return (
    <Result tone="" onDismiss={onDismiss}>
      {late
        ? "Stripe has not reported the purchase yet. Logs are accepted as before; look here again in a few minutes."
        : "The checkout is complete. Waiting for Stripe to report the subscription…"}
    </Result>
  );
}

function Result(props: { tone: string; children: preact.ComponentChildren; onDismiss(): void }) {
  return (
    <div class={`notice ${props.tone}`} role="status">
      <p>{props.children}</p>
      <button type="button" class="button plain small" onClick={props.onDismiss}>
        Dismiss
      </button>
    </div>
  );
}
