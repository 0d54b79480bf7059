import { describe, expect, it } from "vitest";
import type { BillingState } from "../api/schema";
import { isSubscribed, standing } from "./standing";

const ACTIVE: BillingState = {
  plan: "managed_15",
  status: "active",
  accepting: true,
  refusal: null,
  accepts_until: null,
  capped_until: null,
  period: { start: null, end: null },
  trial_ends_at: null,
  ends_at: null,
  ended_at: null,
  owes_since: null,
  grace_ends_at: null,
  soft_cap_gb: null,
  hard_cap_gb: null,
  terms: null,
  plans: [],
};

describe("the standing of an account", () => {
  it("says what still works and the one action when logs are rejected", () => {
    const capped = standing({ ...ACTIVE, accepting: false, refusal: "quota_exceeded" });
    expect(capped).toMatchObject({ tone: "bad", action: "caps" });
    expect(capped.text).toContain("Search continues to work");
  });

  it("names a rejection that it does not know without guessing", () => {
    expect(standing({ ...ACTIVE, accepting: false, refusal: "new_code" }).text).toContain("New logs are rejected");
  });

  it("warns of a missing payment before logs are rejected", () => {
    const owing = standing({ ...ACTIVE, owes_since: "2026-11-01T00:00:00Z", grace_ends_at: "2026-11-08T00:00:00Z" });
    expect(owing).toMatchObject({ tone: "bad", action: "portal" });
  });

  it("is quiet about a trial, and good for a paid plan", () => {
    expect(standing({ ...ACTIVE, status: "none", trial_ends_at: "2026-12-01T00:00:00Z" }).tone).toBe("quiet");
    expect(standing(ACTIVE)).toEqual({ tone: "good", text: "Logs are accepted.", action: null });
  });

  it("knows which plans are changed and which are bought", () => {
    expect(isSubscribed(ACTIVE)).toBe(true);
    expect(isSubscribed({ ...ACTIVE, status: "canceled" })).toBe(false);
  });
});
