import { useEffect, useRef, useState } from "preact/hooks";
import { Page } from "../app/frame";
import { Check, Field } from "../controls/field";
import { Problem } from "../controls/problem";
import { useResource } from "../controls/resource";
import { Snippet } from "../controls/snippet";
import { textOf, useSubmission } from "../controls/submission";
import { shortTime } from "../controls/time";
import { createKey, listKeys, revokeKey, type CreatedKey, type Key, type Scope } from "./api";

const SCOPES: readonly { scope: Scope; means: string }[] = [
  { scope: "ingest", means: "ingest: send logs" },
  { scope: "read", means: "read: search logs" },
  { scope: "admin", means: "admin: everything, keys and billing included" },
];

export function KeysPage() {
  const keys = useResource(listKeys);
  const [created, setCreated] = useState<CreatedKey | null>(null);
  const [revoking, setRevoking] = useState<Key | null>(null);
  return (
    <Page title="Keys" about="A key lets a program send or search logs. Give each program its own.">
      <div class="stack">
        {created ? (
          <NewKey created={created} onStored={() => setCreated(null)} />
        ) : (
          <CreateKey
            onCreated={(key) => {
              setCreated(key);
              void keys.reload();
            }}
          />
        )}
        <Problem problem={keys.problem} retry={() => void keys.reload()} />
        {keys.value && <KeyTable keys={keys.value} onRevoke={setRevoking} />}
      </div>
      {revoking && (
        <RevokeDialog
          subject={revoking}
          onClose={(revoked) => {
            setRevoking(null);
            if (revoked) void keys.reload();
          }}
        />
      )}
    </Page>
  );
}

function CreateKey({ onCreated }: { onCreated(key: CreatedKey): void }) {
  const form = useSubmission(["name", "scopes"], async (data) => {
    onCreated(await createKey(textOf(data, "name"), data.getAll("scopes") as Scope[]));
  });
  return (
    <form class="stack" onSubmit={form.onSubmit} noValidate aria-label="Create a key">
      <Field label="Name" name="name" placeholder="checkout in production" required wrong={form.wrong("name")} />
      <fieldset class="field choices">
        <legend>May</legend>
        {SCOPES.map(({ scope, means }) => (
          <Check key={scope} name="scopes" value={scope} label={means} defaultChecked={scope === "ingest"} />
        ))}
        {form.wrong("scopes") && (
          <p class="wrong" role="alert">
            {form.wrong("scopes")}
          </p>
        )}
      </fieldset>
      <Problem problem={form.problem} />
      <div>
        <button class="button primary" disabled={form.busy}>
          {form.busy ? "Creating…" : "Create the key"}
        </button>
      </div>
    </form>
  );
}

function NewKey({ created, onStored }: { created: CreatedKey; onStored(): void }) {
  return (
    <section class="notice good stack" aria-label="The new key">
      <p>
        <strong>{created.name}</strong> is created. The key is shown once: we store only its hash.
      </p>
      <Snippet text={created.key} label="The key" />
      <div>
        <button type="button" class="button primary" onClick={onStored}>
          I have stored it
        </button>
      </div>
    </section>
  );
}

function KeyTable({ keys, onRevoke }: { keys: Key[]; onRevoke(key: Key): void }) {
  if (keys.length === 0) {
    return <p class="dim">No keys yet. Create one, and give it to the program that sends logs.</p>;
  }
  return (
    <table class="table">
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Begins with</th>
          <th scope="col">May</th>
          <th scope="col">Last used</th>
          <th scope="col">State</th>
          <th scope="col">
            <span class="hidden-text">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {keys.map((key) => (
          <tr key={key.id}>
            <td data-label="Name">{key.name}</td>
            <td data-label="Begins with">
              <code>{key.prefix}…</code>
            </td>
            <td data-label="May">{key.scopes.join(", ")}</td>
            <td data-label="Last used" class="number">
              {key.last_used_at ? shortTime(key.last_used_at) : <span class="faint">never</span>}
            </td>
            <td data-label="State">{key.state}</td>
            <td data-label="">
              {key.state === "active" && (
                <button
                  type="button"
                  class="button small danger"
                  aria-label={`Revoke ${key.name}`}
                  onClick={() => onRevoke(key)}
                >
                  Revoke
                </button>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function RevokeDialog({ subject, onClose }: { subject: Key; onClose(revoked: boolean): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const form = useSubmission([], async () => {
    await revokeKey(subject.id);
    onClose(true);
  });
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby="revoke-title" onClose={() => onClose(false)}>
      <form class="stack" onSubmit={form.onSubmit}>
        <h2 id="revoke-title">Revoke {subject.name}</h2>
        <p>Programs that use this key get 401 within 30 seconds. A revoked key cannot be restored.</p>
        <Problem problem={form.problem} />
        <div class="row">
          <button class="button danger" disabled={form.busy}>
            Revoke the key
          </button>
          <button type="button" class="button" onClick={() => dialog.current?.close()}>
            Keep it
          </button>
        </div>
      </form>
    </dialog>
  );
}
