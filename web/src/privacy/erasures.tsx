import { useState } from "preact/hooks";
import type { ListedErasure } from "../api/schema";
import { Empty } from "../controls/empty";
import { Field } from "../controls/field";
import { Loaded } from "../controls/loaded";
import { usePolling } from "../controls/polling";
import { Problem } from "../controls/problem";
import { useResource } from "../controls/resource";
import { State, type Tone } from "../controls/state";
import { textOf, useSubmission } from "../controls/submission";
import { shortTime } from "../controls/time";
import { readErasure } from "./api";
import { fieldText } from "./person";
import { proofsOf, type Proof } from "./receipt";
import { ReceiptFacts } from "./receipt-facts";

/** Receipts among which the one before is looked for; most of the chain is other accounts'. */
const CHAIN = 20;

export const ERASURE_TONES: Record<ListedErasure["state"], Tone> = {
  requested: "busy",
  running: "busy",
  verified: "good",
  cancelled: "quiet",
};

/** `waits_for` in words (docs/privacy.md). */
const WAITS: Record<string, string> = {
  uploads: "files that are not read yet",
  staged: "events that are not loaded yet",
  mutation: "ClickHouse, which rewrites its parts",
  engine: "ClickHouse, which still has replaced parts on disk",
  time: "a longer turn",
  destination: "your bucket or ClickHouse, which does not answer: test the destination",
  listing: "your bucket, whose listing is too long",
  quarantine: "an unreadable object below quarantine/",
};

export function Erasures(props: { erasures: ListedErasure[]; tenantId: string | null; reload: () => Promise<void> }) {
  const { erasures, tenantId, reload } = props;
  usePolling(
    erasures.some((each) => ERASURE_TONES[each.state] === "busy"),
    reload,
    5000,
  );
  if (erasures.length === 0) {
    return <Empty title="No erasures yet">Each erasure leaves a receipt here, which proves what was removed.</Empty>;
  }
  return (
    <ul class="erasures">
      {erasures.map((each) => (
        <li key={each.id}>
          <Erasure erasure={each} others={erasures} tenantId={tenantId} />
        </li>
      ))}
    </ul>
  );
}

function Erasure(props: { erasure: ListedErasure; others: ListedErasure[]; tenantId: string | null }) {
  const { erasure } = props;
  const [opened, setOpened] = useState(false);
  return (
    <div class="stack">
      <div class="erasure-head">
        <strong>{erasure.kind === "account" ? "The account" : "A person"}</strong>
        {erasure.field && (
          <span>
            {fieldText(erasure.field)} <span class="mono">{erasure.value}</span>
          </span>
        )}
        <State tone={ERASURE_TONES[erasure.state]}>{erasure.state}</State>
        <span class="faint number">requested {shortTime(erasure.requested_at)}</span>
      </div>
      {ERASURE_TONES[erasure.state] === "busy" && (
        <p class="dim">
          {erasure.waits_for.length > 0
            ? `Waits for ${erasure.waits_for.map((each) => WAITS[each] ?? each).join("; ")}.`
            : erasure.cancellable_until
              ? `Begins on ${shortTime(erasure.cancellable_until)}, and can be cancelled until then.`
              : "In progress."}{" "}
          Done by {shortTime(erasure.due_by)} at the latest, normally within a day.
        </p>
      )}
      {erasure.state === "verified" && (
        <details onToggle={(event) => event.currentTarget.open && setOpened(true)}>
          <summary>Receipt</summary>
          {opened && <LoadedReceipt {...props} />}
        </details>
      )}
    </div>
  );
}

function LoadedReceipt(props: { erasure: ListedErasure; others: ListedErasure[]; tenantId: string | null }) {
  const whole = useResource((signal) => readErasure(props.erasure.id, signal));
  return (
    <Loaded resource={whole} lines={6}>
      {(erasure) => erasure.receipt && <Receipt {...props} erasure={erasure} />}
    </Loaded>
  );
}

function Receipt(props: { erasure: ListedErasure; others: ListedErasure[]; tenantId: string | null }) {
  const { erasure, tenantId } = props;
  const receipt = erasure.receipt!;
  return (
    <div class="receipt stack">
      <ReceiptFacts id={erasure.id} receipt={receipt} />
      {tenantId && <Verify erasure={erasure} others={props.others} tenantId={tenantId} />}
    </div>
  );
}

/** The receipt has no name, so only a person who knows the value can prove whom it concerns. */
function Verify({ erasure, others, tenantId }: { erasure: ListedErasure; others: ListedErasure[]; tenantId: string }) {
  const [proofs, setProofs] = useState<Proof[] | null>(null);
  const form = useSubmission([], async (data) => {
    const value = textOf(data, "value");
    const person = value ? { field: textOf(data, "field"), value } : null;
    const verified = others.filter((each) => each.state === "verified" && each.id !== erasure.id).slice(0, CHAIN);
    const receipts = await Promise.all(verified.map((each) => readErasure(each.id)));
    setProofs(await proofsOf(erasure, tenantId, receipts, person));
  });
  return (
    <form class="stack" onSubmit={form.onSubmit} aria-label={`Verify receipt ${erasure.receipt!.number}`}>
      {erasure.kind === "person" && (
        <div class="pair">
          <Field label="Field (optional)" name="field" placeholder="metadata.email" autocomplete="off" />
          <Field
            label="Value (optional)"
            name="value"
            placeholder="bob@example.com"
            autocomplete="off"
            hint="The receipt has no name. With the value, it proves whom it is about. It is not sent."
          />
        </div>
      )}
      <Problem problem={form.problem} />
      <div>
        <button class="button" disabled={form.busy}>
          Verify
        </button>
      </div>
      <ul class="proofs" role="status">
        {proofs?.map((each) => (
          <li key={each.claim}>
            <State tone={each.holds ? "good" : "bad"}>{each.holds ? "proved" : "not proved"}</State> {each.claim}
          </li>
        ))}
      </ul>
    </form>
  );
}
