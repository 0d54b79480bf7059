import { Link, useLocation } from "wouter-preact";
import { call } from "../api/client";
import { Entrance } from "../app/frame";
import { Check, Field } from "../controls/field";
import { Problem } from "../controls/problem";
import { textOf, useSubmission } from "../controls/submission";
import { Submit } from "../controls/submit";
import { rememberEmail, rememberedEmail } from "./entered-email";

export function SignUpPage() {
  const [, go] = useLocation();
  const form = useSubmission(["name", "email", "password", "accept_terms"], async (data) => {
    const email = textOf(data, "email");
    await call("POST", "/v1/signup", {
      anonymous: true,
      body: {
        name: textOf(data, "name"),
        email,
        password: data.get("password"),
        accept_terms: data.get("accept_terms") === "on",
        marketing_opt_in: data.get("marketing_opt_in") === "on",
      },
    });
    rememberEmail(email);
    go("/confirm");
  });
  return (
    <Entrance title="Create an account" about="The first log is on the page within a minute. No card is needed.">
      <form class="stack" onSubmit={form.onSubmit} noValidate>
        <Field label="Name" name="name" autocomplete="name" first required wrong={form.wrong("name")} />
        <Field
          label="E-mail"
          name="email"
          type="email"
          autocomplete="username"
          required
          defaultValue={rememberedEmail()}
          wrong={form.wrong("email")}
        />
        <Field
          label="Password"
          name="password"
          type="password"
          autocomplete="new-password"
          required
          hint="At least 12 characters, none of the common ones."
          wrong={form.wrong("password")}
        />
        <Check name="accept_terms" label="I accept the terms and the privacy policy." required />
        {form.wrong("accept_terms") && (
          <p class="notice bad" role="alert">
            Accept the terms to create an account.
          </p>
        )}
        <Check name="marketing_opt_in" label="Send me product updates. You can stop this at any time." />
        <Problem problem={form.problem} />
        <Submit form={form} kind="primary" busy="Creating…">
          Create the account
        </Submit>
      </form>
      <nav aria-label="Other ways in">
        <Link href="/sign-in">Sign in instead</Link>
      </nav>
    </Entrance>
  );
}
