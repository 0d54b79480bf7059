import { call } from "../api/client";
import { Page } from "../app/frame";
import { chooseTheme, theme, type Theme } from "../app/theme";
import { Field } from "../controls/field";
import { Problem } from "../controls/problem";
import { useResource } from "../controls/resource";
import { useSubmission } from "../controls/submission";
import { logIn, logOut } from "../session/session";

interface Account {
  tenant_id: string;
  profile?: { name: string; email: string } | null;
  name?: string;
  email?: string;
}

export function SettingsPage() {
  const account = useResource((signal) => call<Account>("GET", "/v1/account", { signal }));
  const email = account.value?.profile?.email ?? account.value?.email ?? "";
  return (
    <Page title="Settings">
      <div class="stack">
        <section class="stack" aria-labelledby="appearance">
          <h2 id="appearance">Appearance</h2>
          <ThemeChoice />
        </section>
        <section class="stack" aria-labelledby="password">
          <h2 id="password">Password</h2>
          <Problem problem={account.problem} retry={() => void account.reload()} />
          {email && <ChangePassword email={email} />}
        </section>
        <section class="stack" aria-labelledby="sessions">
          <h2 id="sessions">Sessions</h2>
          <Sessions />
        </section>
      </div>
    </Page>
  );
}

const THEMES: readonly [Theme, string][] = [
  ["system", "As the system"],
  ["light", "Light"],
  ["dark", "Dark"],
];

function ThemeChoice() {
  return (
    <div class="row" role="group" aria-label="Theme">
      {THEMES.map(([each, label]) => (
        <button
          key={each}
          type="button"
          class="button small"
          aria-pressed={theme.value === each}
          onClick={() => chooseTheme(each)}
        >
          {label}
        </button>
      ))}
    </div>
  );
}

/** A password change ends every session, so the new password signs in again at once. */
function ChangePassword({ email }: { email: string }) {
  const form = useSubmission(["password", "new_password"], async (data) => {
    const chosen = String(data.get("new_password"));
    await call("POST", "/v1/password/change", { body: { password: data.get("password"), new_password: chosen } });
    await logIn(email, chosen);
  });
  return (
    <form class="stack narrow" onSubmit={form.onSubmit} noValidate>
      <input type="text" name="username" autocomplete="username" value={email} hidden readOnly />
      <Field
        label="Current password"
        name="password"
        type="password"
        autocomplete="current-password"
        wrong={form.wrong("password")}
      />
      <Field
        label="New password"
        name="new_password"
        type="password"
        autocomplete="new-password"
        hint="At least 12 characters, none of the common ones. Every other session ends."
        wrong={form.wrong("new_password")}
      />
      <Problem problem={form.problem} />
      <div>
        <button class="button" disabled={form.busy}>
          {form.busy ? "Changing…" : "Change the password"}
        </button>
      </div>
    </form>
  );
}

function Sessions() {
  const here = useSubmission([], () => logOut());
  const everywhere = useSubmission([], () => logOut(true));
  return (
    <div class="row">
      <form onSubmit={here.onSubmit}>
        <button class="button" disabled={here.busy}>
          Sign out
        </button>
      </form>
      <form onSubmit={everywhere.onSubmit}>
        <button class="button danger" disabled={everywhere.busy}>
          Sign out everywhere
        </button>
      </form>
      <Problem problem={here.problem ?? everywhere.problem} />
    </div>
  );
}
