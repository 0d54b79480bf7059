import { useState } from "preact/hooks";
import type { AccountProfile, ListedErasure } from "../api/schema";
import { ConfirmDialog } from "../controls/dialog";
import { Problem } from "../controls/problem";
import { useSubmission } from "../controls/submission";
import { shortTime } from "../controls/time";
import { cancelErasure, eraseAccount } from "./api";

/** Delete the account after seven days, or cancel that. */
export function CloseAccount(props: { account: AccountProfile; erasures: ListedErasure[]; onChanged(): void }) {
  const { account, erasures, onChanged } = props;
  const [asking, setAsking] = useState(false);
  const pending = erasures.find((each) => each.kind === "account" && each.cancellable_until !== null);
  if (pending) return <Closing erasure={pending} onCancelled={onChanged} />;
  const name = account.email ?? account.tenant_id;
  return (
    <>
      <p class="dim">
        Seven days after the request, the account and everything in it is erased: logs, keys, files, people, billing
        data. Until then you can cancel, search and export. The last usage is billed.
      </p>
      <div>
        <button type="button" class="button danger" onClick={() => setAsking(true)}>
          Delete the account
        </button>
      </div>
      {asking && (
        <ConfirmDialog
          title="Delete the account"
          action="Delete the account"
          keep="Keep the account"
          danger
          typed={{ label: account.email ? "The account's address" : "The account's id", text: name }}
          onConfirm={async () => {
            await eraseAccount(account.tenant_id);
            onChanged();
          }}
          onClose={() => setAsking(false)}
        >
          <p>
            From now on, new logs are rejected. In seven days all logs, keys, files and people of{" "}
            <strong>{name}</strong> are erased, and nothing can restore them.
          </p>
        </ConfirmDialog>
      )}
    </>
  );
}

function Closing({ erasure, onCancelled }: { erasure: ListedErasure; onCancelled(): void }) {
  const form = useSubmission([], async () => {
    await cancelErasure(erasure.id);
    onCancelled();
  });
  return (
    <form class="notice bad stack" onSubmit={form.onSubmit}>
      <p>
        The account will be erased on <strong>{shortTime(erasure.starts_at)}</strong>. New logs are rejected; search and
        exports continue to work.
      </p>
      <Problem problem={form.problem} />
      <div>
        <button class="button" disabled={form.busy}>
          Cancel the deletion
        </button>
      </div>
    </form>
  );
}
