import { useEffect, useRef, useState } from "preact/hooks";
import { Page } from "../app/frame";
import { Check, Field } from "../controls/field";
import { Problem } from "../controls/problem";
import { useResource } from "../controls/resource";
import { Select } from "../controls/select";
import { Snippet } from "../controls/snippet";
import { textOf, useSubmission } from "../controls/submission";
import { Submit } from "../controls/submit";
import { shortTime } from "../controls/time";
import { createKey, listKeys, revokeKey, rotateKey, type CreatedKey, type Key, type Scope } from "./api";

const SCOPES: readonly { scope: Scope; means: string }[] = [
  { scope: "ingest", means: "ingest: send logs" },
  { scope: "read", means: "read: search logs" },
  { scope: "admin", means: "admin: everything, keys and billing included" },
];

const OVERLAPS: readonly { hours: number; name: string }[] = [
  { hours: 0, name: "no time: it stops at once" },
  { hours: 1, name: "1 hour" },
  { hours: 24, name: "24 hours" },
  { hours: 168, name: "7 days" },
];

export function KeysPage() {
  const keys = useResource(listKeys);
  const [created, setCreated] = useState<CreatedKey | null>(null);
  const [rotating, setRotating] = useState<Key | null>(null);
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
        {keys.value && <KeyTable keys={keys.value} onRotate={setRotating} onRevoke={setRevoking} />}
      </div>
      {rotating && (
        <RotateDialog
          subject={rotating}
          onClose={(made) => {
            setRotating(null);
            if (!made) return;
            setCreated(made);
            void keys.reload();
          }}
        />
      )}
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
        <Submit form={form} kind="primary" busy="Creating…">
          Create the key
        </Submit>
      </div>
    </form>
  );
}

function NewKey({ created, onStored }: { created: CreatedKey; onStored(): void }) {
  const section = useRef<HTMLElement>(null);
  useEffect(() => section.current?.scrollIntoView({ block: "nearest" }), []);
  const { replaced } = created;
  return (
    <section ref={section} class="notice good stack" aria-label="The new key">
      <p>
        <strong>{created.name}</strong> is created. The key is shown once: we store only its hash.
        {replaced?.state === "rotating" &&
          ` Give it to its program before the old one ends: ${shortTime(replaced.expires_at!)}.`}
        {replaced?.state === "expired" && " The old key has ended."}
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

function KeyTable({ keys, onRotate, onRevoke }: { keys: Key[]; onRotate(key: Key): void; onRevoke(key: Key): void }) {
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
            <td data-label="State">
              {key.state}
              {key.state === "rotating" && key.expires_at && ` until ${shortTime(key.expires_at)}`}
            </td>
            <td data-label="">
              <div class="row">
                {key.state === "active" && (
                  <button
                    type="button"
                    class="button small"
                    aria-label={`Rotate ${key.name}`}
                    onClick={() => onRotate(key)}
                  >
                    Rotate
                  </button>
                )}
                {(key.state === "active" || key.state === "rotating") && (
                  <button
                    type="button"
                    class="button small danger"
                    aria-label={`Revoke ${key.name}`}
                    onClick={() => onRevoke(key)}
                  >
                    Revoke
                  </button>
                )}
              </div>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function RotateDialog({ subject, onClose }: { subject: Key; onClose(made: CreatedKey | null): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const form = useSubmission(["overlap_hours"], async (data) => {
    onClose(await rotateKey(subject.id, Number(data.get("overlap_hours"))));
  });
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby="rotate-title" onClose={() => onClose(null)}>
      <form class="stack" onSubmit={form.onSubmit}>
        <h2 id="rotate-title">Rotate {subject.name}</h2>
        <p>
          A new key with the same name and rights replaces it. The old one works a while longer, so that no log is lost.
        </p>
        <Select label="The old key works for" name="overlap_hours" defaultValue="24">
          {OVERLAPS.map(({ hours, name }) => (
            <option key={hours} value={hours}>
              {name}
            </option>
          ))}
        </Select>
        <Problem problem={form.problem} />
        <div class="row">
          <button class="button primary" disabled={form.busy}>
            Rotate the key
          </button>
          <button type="button" class="button" onClick={() => dialog.current?.close()}>
            Keep it
          </button>
        </div>
      </form>
    </dialog>
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
