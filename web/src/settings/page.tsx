import { call } from "../api/client";
import type { AccountProfile } from "../api/schema";
import { Page } from "../app/frame";
import { chooseTheme, theme, type Theme } from "../app/theme";
import { Field } from "../controls/field";
import { Loaded } from "../controls/loaded";
import { Problem } from "../controls/problem";
import { useResource } from "../controls/resource";
import { Sections, SETTINGS_SECTIONS } from "../controls/sections";
import { useSubmission } from "../controls/submission";
import { Submit } from "../controls/submit";
import { logIn, logOut } from "../session/session";
import { MarketingChoice } from "./marketing";
import { Profile } from "./profile";

export function SettingsPage() {
  const account = useResource((signal) => call<AccountProfile>("GET", "/v1/account", { signal }));
  return (
    <Page title="Settings">
      <Sections label="Settings" links={SETTINGS_SECTIONS} />
      <div class="parts">
        <section class="stack" aria-labelledby="profile">
          <h2 id="profile">Profile</h2>
          <Loaded resource={account} lines={5}>
            {(profile) => <Profile account={profile} onChanged={() => void account.reload()} />}
          </Loaded>
        </section>
        <section class="stack" aria-labelledby="appearance">
          <h2 id="appearance">Appearance</h2>
          <ThemeChoice />
        </section>
        <section class="stack" aria-labelledby="password">
          <h2 id="password">Password</h2>
          <Loaded resource={account} lines={4}>
            {({ email }) => email && <ChangePassword email={email} />}
          </Loaded>
        </section>
        <section class="stack" aria-labelledby="mails">
          <h2 id="mails">Mails</h2>
          <Loaded resource={account} lines={1}>
            {(profile) => <MarketingChoice optedIn={profile.marketing_opt_in} />}
          </Loaded>
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
        <Submit form={form} busy="Changing…">
          Change the password
        </Submit>
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
