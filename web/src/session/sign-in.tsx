import { Link, useLocation } from "wouter-preact";
import { ApiProblem } from "../api/problem";
import { Entrance } from "../app/frame";
import { Field } from "../controls/field";
import { Problem } from "../controls/problem";
import { textOf, useSubmission } from "../controls/submission";
import { Submit } from "../controls/submit";
import { rememberEmail, rememberedEmail } from "./entered-email";
import { hasExpired, logIn } from "./session";

export function SignInPage() {
  const [, go] = useLocation();
  const form = useSubmission(["email", "password"], async (data) => {
    const email = textOf(data, "email");
    rememberEmail(email);
    try {
      await logIn(email, String(data.get("password")));
    } catch (fault) {
      if (fault instanceof ApiProblem && fault.code === "unconfirmed") return go("/confirm");
      throw fault;
    }
  });
  return (
    <Entrance
      title="Sign in"
      about={hasExpired.value && "Your session has expired. After you sign in, the page continues where it was."}
    >
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
        <Field
          label="Password"
          name="password"
          type="password"
          autocomplete="current-password"
          required
          wrong={form.wrong("password")}
        />
        <Problem problem={form.problem} />
        <Submit form={form} kind="primary" busy="Signing in…">
          Sign in
        </Submit>
      </form>
      <nav aria-label="Other ways in">
        <Link href="/sign-up">Create an account</Link>
        <Link href="/forgot">Forgot the password</Link>
      </nav>
    </Entrance>
  );
}
