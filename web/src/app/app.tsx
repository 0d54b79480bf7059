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
import { Starting, Unreachable } from "./starting";
import { lazyPage } from "./lazy";

const LivePage = lazyPage(async () => (await import("../live/page")).LivePage);
const SavedLinkPage = lazyPage(async () => (await import("../saved/link-page")).SavedLinkPage);
const TracePage = lazyPage(async () => (await import("../trace/page")).TracePage);
const UsagePage = lazyPage(async () => (await import("../usage/page")).UsagePage);
const PrivacyPage = lazyPage(async () => (await import("../privacy/page")).PrivacyPage);
const UploadsPage = lazyPage(async () => (await import("../uploads/page")).UploadsPage);
const QuarantinePage = lazyPage(async () => (await import("../quarantine/page")).QuarantinePage);
const DestinationPage = lazyPage(async () => (await import("../destination/page")).DestinationPage);
const AuditPage = lazyPage(async () => (await import("../audit/page")).AuditPage);
const ErasurePage = lazyPage(async () => (await import("../erasure/page")).ErasurePage);
const NoticesPage = lazyPage(async () => (await import("../notices/page")).NoticesPage);

/** The page of the address; all but the state of an erasure depend on whether the person is signed in. */
export function App() {
  return (
    <Switch>
      <Route path="/erasures/:id" component={ErasurePage} />
      <Route component={Sessions} />
    </Switch>
  );
}

function Sessions() {
  switch (sessionState.value) {
    case "starting":
      return <Starting />;
    case "unreachable":
      return <Unreachable />;
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
        <Route path="/s/:id" component={SavedLinkPage} />
        <Route path="/live" component={LivePage} />
        <Route path="/trace/:id" component={TracePage} />
        <Route path="/keys" component={KeysPage} />
        <Route path="/settings" component={SettingsPage} />
        <Route path="/billing" component={UsagePage} />
        <Route path="/privacy" component={PrivacyPage} />
        <Route path="/uploads" component={UploadsPage} />
        <Route path="/uploads/quarantine" component={QuarantinePage} />
        <Route path="/settings/destination" component={DestinationPage} />
        <Route path="/settings/audit" component={AuditPage} />
        <Route path="/notices" component={NoticesPage} />
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
