import { describe, expect, it } from "vitest";
import type { ListedErasure, ShownReceipt } from "../api/schema";
import { proofsOf } from "./receipt";

/** Made by functions/privacy/erasure/receipt.py, for the account "acme" and a value that JSON escapes. */
const RECEIPT: ShownReceipt = {
  number: 17,
  previous: "0000000000000000000000000000000000000000000000000000000000000000",
  kind: "person",
  account: "0b1c65013bed2b25ac30e6e810b11271a29745fd25c6cc9758570a664fdaeef6",
  person: "30d1b456a8f630cf15a8db906182fb0871f6d013a5cc3e0a2c655d97849a95a7",
  requested_at: "2026-11-23T10:00:00Z",
  verified_at: "2026-11-23T11:00:00Z",
  backups_until: "2026-12-28T11:00:00Z",
  counts: { rows: 12, exports: 1 },
  hash: "ec8f47387743438cbc4ba657590383c5198cf1908e8ba1f1ebdf3d2295eecd5b",
};
const PERSON = { field: "metadata.name", value: 'Zoë 𝄞 \x7f"x' };

function erasure(receipt: ShownReceipt): ListedErasure {
  return {
    id: "era_1",
    kind: "person",
    state: "verified",
    field: null,
    value: null,
    requested_at: receipt.requested_at,
    starts_at: receipt.requested_at,
    cancellable_until: null,
    due_by: "2026-12-23T10:00:00Z",
    cancelled_at: null,
    verified_at: receipt.verified_at,
    waits_for: [],
    receipt,
  };
}

async function holds(
  receipt: ShownReceipt,
  tenant = "acme",
  person: typeof PERSON | null = PERSON,
): Promise<boolean[]> {
  return (await proofsOf(erasure(receipt), tenant, [], person)).map((each) => each.holds);
}

describe("a receipt", () => {
  it("is proved by the hashes that the service made", async () => {
    expect(await holds(RECEIPT)).toEqual([true, true, true]);
  });

  it("is not when a count was altered", async () => {
    expect(await holds({ ...RECEIPT, counts: { rows: 11, exports: 1 } })).toEqual([false, true, true]);
  });

  it("is not another account's, and not about another person", async () => {
    expect(await holds(RECEIPT, "globex")).toEqual([true, false, false]);
    expect(await holds(RECEIPT, "acme", { ...PERSON, value: "Zoe" })).toEqual([true, true, false]);
  });

  it("follows from the one before it, if that is the account's too", async () => {
    const before = { ...RECEIPT, number: 16, hash: RECEIPT.previous };
    const [, , chain] = await proofsOf(erasure(RECEIPT), "acme", [erasure(before)], null);
    expect(chain).toEqual({ claim: "It follows from receipt 16.", holds: true });
    const [, , broken] = await proofsOf(erasure(RECEIPT), "acme", [erasure({ ...before, hash: "1" })], null);
    expect(broken!.holds).toBe(false);
  });
});
