import type { BillingState } from "../api/schema";
import { shortTime } from "../controls/time";

/** What the person should do about it: one action, by the part of the page that has it. */
export interface Standing {
  tone: "good" | "bad" | "quiet";
  text: string;
  action: "plans" | "caps" | "portal" | "erasures" | null;
}

const REFUSALS: Record<string, Omit<Standing, "tone">> = {
  quota_exceeded: { text: "The hard cap is reached: new logs are rejected.", action: "caps" },
  trial_quota_exceeded: { text: "The volume of the free trial is used up: new logs are rejected.", action: "plans" },
  trial_ended: { text: "The free trial has ended: new logs are rejected.", action: "plans" },
  subscription_ended: { text: "The subscription has ended: new logs are rejected.", action: "plans" },
  payment_overdue: { text: "A payment is missing: new logs are rejected.", action: "portal" },
  account_closing: { text: "The account is being deleted: new logs are rejected.", action: "erasures" },
};

/** Whether the account accepts logs, and what will change that, in words. */
export function standing(billing: BillingState): Standing {
  if (!billing.accepting) {
    const known = REFUSALS[billing.refusal ?? ""] ?? { text: "New logs are rejected.", action: "plans" };
    return { ...known, tone: "bad", text: `${known.text} Search continues to work.` };
  }
  if (billing.owes_since && billing.grace_ends_at) {
    const until = shortTime(billing.grace_ends_at);
    return { tone: "bad", text: `A payment is missing. Logs are accepted until ${until}.`, action: "portal" };
  }
  if (billing.ends_at) {
    const until = shortTime(billing.ends_at);
    return {
      tone: "quiet",
      text: `The subscription ends on ${until}. Logs are accepted until then.`,
      action: "portal",
    };
  }
  if (billing.status === "none" && billing.trial_ends_at) {
    const until = shortTime(billing.trial_ends_at);
    return {
      tone: "quiet",
      text: `The free trial lasts until ${until}. No card is needed until then.`,
      action: "plans",
    };
  }
  return { tone: "good", text: "Logs are accepted.", action: null };
}

/** Whether Stripe has a subscription whose plan can be changed. */
export function isSubscribed(billing: BillingState): boolean {
  return ["active", "trialing", "past_due", "unpaid"].includes(billing.status);
}
