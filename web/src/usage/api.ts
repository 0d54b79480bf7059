import { call } from "../api/client";
import type { BillingState, CapsForm, StripePage, UsageReport } from "../api/schema";

export function readBilling(signal: AbortSignal): Promise<BillingState> {
  return call("GET", "/v1/billing", { signal });
}

/** The days of the billing period until today. */
export function readUsage(signal: AbortSignal): Promise<UsageReport> {
  return call("GET", "/v1/usage", { signal });
}

export function changeCaps(caps: CapsForm): Promise<BillingState> {
  return call("PATCH", "/v1/billing", { body: caps });
}

/** The address of Stripe's page where `plan` is bought. */
export async function checkoutUrl(plan: string): Promise<string> {
  return (await call<StripePage>("POST", "/v1/billing/checkout", { body: { plan } })).url;
}

export function changePlan(plan: string): Promise<BillingState> {
  return call("POST", "/v1/billing/plan", { body: { plan } });
}

/** The address of Stripe's page with card and invoices. */
export async function portalUrl(): Promise<string> {
  return (await call<StripePage>("POST", "/v1/billing/portal")).url;
}
