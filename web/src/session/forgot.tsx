import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { call } from "../api/client";
import { Entrance } from "../app/frame";
import { CodeField, Field } from "../controls/field";
import { Problem } from "../controls/problem";
import { textOf, useSubmission } from "../controls/submission";
import { Submit } from "../controls/submit";
import { rememberEmail, rememberedEmail } from "./entered-email";
import { logIn } from "./session";

/** First the address, then the mailed code with a new password. */
export function ForgotPage() {
  const [email, setEmail] = useState<string | null>(null);
  return email === null ? <AskForCode onSent={setEmail} /> : <SetPassword email={email} />;
}

function AskForCode({ onSent }: { onSent(email: string): void }) {
  const form = useSubmission(["email"], async (data) => {
    const email = textOf(data, "email");
    await call("POST", "/v1/password/forgot", { anonymous: true, body: { email } });
    rememberEmail(email);
    onSent(email);
  });
  return (
    <Entrance title="Set a new password" about="We send a code to your address.">
      <form class="stack" onSubmit={form.onSubmit} noValidate>
        <Field
          label="E-mail"
          name="email"
          type="email"
          autocomplete="username"
          first
          required
          defaultValue={rememberedEmail()}
          wrong={form.wrong("email")}
        />
        <Problem problem={form.problem} />
        <Submit form={form} kind="primary" busy="Sending…">
          Send the code
        </Submit>
      </form>
      <nav aria-label="Other ways in">
        <Link href="/sign-in">Sign in</Link>
      </nav>
    </Entrance>
  );
}

function SetPassword({ email }: { email: string }) {
  const form = useSubmission(["code", "password"], async (data) => {
    const password = String(data.get("password"));
    const code = textOf(data, "code").replace(/\s/g, "");
    await call("POST", "/v1/password/reset", { anonymous: true, body: { email, code, password } });
    await logIn(email, password);
  });
  return (
    <Entrance
      title="Set a new password"
      about={`If ${email} has an account, a code of six digits is on its way. Every session ends with the change.`}
    >
      <form class="stack" onSubmit={form.onSubmit} noValidate>
        <CodeField wrong={form.wrong("code")} />
        <Field
          label="New password"
          name="password"
          type="password"
          autocomplete="new-password"
          required
          hint="At least 12 characters, none of the common ones."
          wrong={form.wrong("password")}
        />
        <Problem problem={form.problem} />
        <Submit form={form} kind="primary" busy="Setting…">
          Set the password and sign in
        </Submit>
      </form>
    </Entrance>
  );
}
