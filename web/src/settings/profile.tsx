import { useState } from "preact/hooks";
import { call } from "../api/client";
import type { AccountProfile } from "../api/schema";
import { CodeField, Field } from "../controls/field";
import { Problem } from "../controls/problem";
import { CopyButton } from "../controls/snippet";
import { textOf, useSubmission } from "../controls/submission";
import { Submit } from "../controls/submit";
import { shortTime } from "../controls/time";
import "../controls/panels.css";

export function Profile({ account, onChanged }: { account: AccountProfile; onChanged(): void }) {
  const [newEmail, setNewEmail] = useState<string | null>(null);
  return (
    <>
      <dl class="facts">
        <dt>Account</dt>
        <dd class="mono">
          {account.tenant_id} <CopyButton text={account.tenant_id} />
        </dd>
        {account.created_at && (
          <>
            <dt>Since</dt>
            <dd>{shortTime(account.created_at)}</dd>
          </>
        )}
        {account.terms_version && account.terms_accepted_at && (
          <>
            <dt>Terms</dt>
            <dd>
              {account.terms_version}, accepted {shortTime(account.terms_accepted_at)}
            </dd>
          </>
        )}
      </dl>
      <ProfileForm account={account} onChanged={onChanged} onConfirmation={setNewEmail} />
      {newEmail && (
        <ConfirmEmail
          email={newEmail}
          onConfirmed={() => {
            setNewEmail(null);
            onChanged();
          }}
        />
      )}
    </>
  );
}

function ProfileForm(props: { account: AccountProfile; onChanged(): void; onConfirmation(email: string): void }) {
  const { account } = props;
  const [saved, setSaved] = useState(false);
  const form = useSubmission(["name", "email"], async (data) => {
    setSaved(false);
    const [name, email] = [textOf(data, "name"), textOf(data, "email")];
    const body = { ...(name === account.name ? {} : { name }), ...(email === account.email ? {} : { email }) };
    if (Object.keys(body).length === 0) return setSaved(true);
    await call("PATCH", "/v1/account", { body });
    if ("email" in body) props.onConfirmation(email);
    setSaved(true);
    props.onChanged();
  });
  return (
    <form class="stack narrow" onSubmit={form.onSubmit} noValidate aria-label="Profile">
      <Field
        label="Name"
        name="name"
        autocomplete="name"
        defaultValue={account.name ?? ""}
        wrong={form.wrong("name")}
      />
      <Field
        label="E-mail"
        name="email"
        type="email"
        autocomplete="email"
        defaultValue={account.email ?? ""}
        hint="A new address is confirmed by a mailed code before it is used."
        wrong={form.wrong("email")}
      />
      <Problem problem={form.problem} />
      <div class="row">
        <Submit form={form} busy="Saving…">
          Save the profile
        </Submit>
        <span role="status" class="dim">
          {saved && !form.busy ? "Saved." : ""}
        </span>
      </div>
    </form>
  );
}

function ConfirmEmail({ email, onConfirmed }: { email: string; onConfirmed(): void }) {
  const form = useSubmission(["code"], async (data) => {
    await call("POST", "/v1/account/email/confirm", { body: { code: textOf(data, "code") } });
    onConfirmed();
  });
  return (
    <form class="notice stack narrow" onSubmit={form.onSubmit} noValidate aria-label="Confirm the new address">
      <p>Six digits were mailed to {email}. The old address stays in use until you enter them.</p>
      <CodeField wrong={form.wrong("code")} />
      <Problem problem={form.problem} />
      <div>
        <Submit form={form} busy="Confirming…">
          Confirm the address
        </Submit>
      </div>
    </form>
  );
}
