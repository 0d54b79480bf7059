import type { ShownReceipt } from "../api/schema";
import { count } from "../controls/format";
import { CopyButton } from "../controls/snippet";
import { shortTime } from "../controls/time";

/** What a receipt says, of the erasure with the id. */
export function ReceiptFacts({ id, receipt }: { id: string; receipt: ShownReceipt }) {
  const removed = Object.entries(receipt.counts).map(([place, rows]) => `${place} ${count(rows)}`);
  return (
    <dl class="facts">
      <dt>Receipt</dt>
      <dd class="number">{receipt.number}</dd>
      <dt>Erasure</dt>
      <dd class="mono">
        {id} <CopyButton text={id} />
      </dd>
      <dt>Verified</dt>
      <dd>{shortTime(receipt.verified_at)}</dd>
      <dt>Removed</dt>
      <dd>{removed.join(", ") || "nothing was found"}</dd>
      <dt>Backups until</dt>
      <dd>{shortTime(receipt.backups_until)}</dd>
      <dt>Hash</dt>
      <dd class="mono">{receipt.hash}</dd>
      <dt>Receipt {receipt.number - 1}</dt>
      <dd class="mono">{receipt.previous}</dd>
    </dl>
  );
}
