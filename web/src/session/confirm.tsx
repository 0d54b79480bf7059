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

/** The mailed code and the password: both, because another person may have signed up with the address. */
export function ConfirmPage() {
  const [resent, setResent] = useState(false);
  const email = rememberedEmail();
  const form = useSubmission(["email", "code", "password"], async (data) => {
    const address = textOf(data, "email");
    const password = String(data.get("password"));
    rememberEmail(address);
    await call("POST", "/v1/signup/confirm", {
      anonymous: true,
      body: { email: address, code: textOf(data, "code").replace(/\s/g, ""), password },
    });
    await logIn(address, password);
  });
  const resend = useSubmission(["email"], async () => {
    await call("POST", "/v1/signup/resend", { anonymous: true, body: { email: rememberedEmail() } });
    setResent(true);
  });
  return (
    <Entrance
      title="Confirm your address"
      about={email ? `We sent a code of six digits to ${email}.` : "Enter the code of six digits from our mail."}
    >
      <form class="stack" onSubmit={form.onSubmit} noValidate>
        <Field
          label="E-mail"
          name="email"
          type="email"
          autocomplete="username"
          required
          defaultValue={email}
          wrong={form.wrong("email")}
        />
        <CodeField wrong={form.wrong("code")} />
        <Field
          label="Password"
          name="password"
          type="password"
          autocomplete="current-password"
          required
          hint="The one you signed up with."
          wrong={form.wrong("password")}
        />
        <Problem problem={form.problem} />
        <Submit form={form} kind="primary" busy="Confirming…">
          Confirm and sign in
        </Submit>
      </form>
      {email && (
        <form onSubmit={resend.onSubmit}>
          <p class="row dim">
            No mail?
            <button class="button small" disabled={resend.busy}>
              Send a new code
            </button>
            <span role="status">{resent ? "Sent." : ""}</span>
          </p>
          <Problem problem={resend.problem} />
        </form>
      )}
      <nav aria-label="Other ways in">
        <Link href="/sign-up">Sign up with another address</Link>
        <Link href="/sign-in">Sign in</Link>
      </nav>
    </Entrance>
  );
}
