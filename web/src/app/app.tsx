import { Redirect, Route, Switch } from "wouter-preact";
import { KeysPage } from "../keys/page";
import { SearchPage } from "../search/page";
import { ConfirmPage } from "../session/confirm";
import { ForgotPage } from "../session/forgot";
import { sessionState } from "../session/session";
import { SignInPage } from "../session/sign-in";
import { SignUpPage } from "../session/sign-up";
import { SettingsPage } from "../settings/page";
import { StartPage } from "../start/page";
import { Frame } from "./frame";

/** The page of the address; which pages there are depends on whether the person is signed in. */
export function App() {
  switch (sessionState.value) {
    case "starting":
      return null;
    case "signed-out":
      return <SignedOut />;
    case "signed-in":
      return <SignedIn />;
  }
}

function SignedOut() {
  return (
    <Switch>
      <Route path="/sign-up" component={SignUpPage} />
      <Route path="/confirm" component={ConfirmPage} />
      <Route path="/forgot" component={ForgotPage} />
      <Route component={SignInPage} />
    </Switch>
  );
}

function SignedIn() {
  return (
    <Frame>
      <Switch>
        <Route path="/start" component={StartPage} />
        <Route path="/search" component={SearchPage} />
        <Route path="/keys" component={KeysPage} />
        <Route path="/settings" component={SettingsPage} />
        <Route path="/confirm">
          <Redirect to="/start" replace />
        </Route>
        <Route>
          <Redirect to="/search" replace />
        </Route>
      </Switch>
    </Frame>
  );
}
