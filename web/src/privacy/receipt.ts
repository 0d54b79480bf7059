import type { ListedErasure, ShownReceipt } from "../api/schema";

/** Each claim of a receipt (docs/privacy.md#receipts), and whether the hashes prove it. */
export interface Proof {
  claim: string;
  holds: boolean;
}

/**
 * Check a receipt with the hashes that everyone can compute.
 *
 * @param others erasures of the account, whose receipts may be the one before it in the chain
 * @param person whom it should concern: field and value; null leaves that claim out
 */
export async function proofsOf(
  erasure: ListedErasure,
  tenantId: string,
  others: readonly ListedErasure[],
  person: { field: string; value: string } | null,
): Promise<Proof[]> {
  const receipt = erasure.receipt!;
  const proofs = [
    { claim: "The receipt is unaltered.", holds: (await receiptHash(receipt)) === receipt.hash },
    {
      claim: "It belongs to this account and this erasure.",
      holds: (await listHash([erasure.id, tenantId])) === receipt.account,
    },
  ];
  const before = others.find((each) => each.receipt?.number === receipt.number - 1)?.receipt;
  if (before) {
    proofs.push({ claim: `It follows from receipt ${before.number}.`, holds: receipt.previous === before.hash });
  }
  if (person) {
    const hash = await listHash([erasure.id, tenantId, person.field, person.value]);
    proofs.push({ claim: `It is about ${person.value}.`, holds: hash === receipt.person });
  }
  return proofs;
}

/** SHA-256 of all other members as JSON with sorted keys and without spaces. */
export function receiptHash({ hash: _hash, ...members }: ShownReceipt): Promise<string> {
  return sha256(ascii(JSON.stringify(sorted(members))));
}

/** SHA-256 of the JSON list with `, ` between elements. */
export function listHash(list: readonly string[]): Promise<string> {
  return sha256(ascii(`[${list.map((each) => JSON.stringify(each)).join(", ")}]`));
}

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(members.map(([name, each]) => [name, sorted(each)]));
}

function ascii(json: string): string {
  return json.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((each) => each.toString(16).padStart(2, "0")).join("");
}
