import { Page } from "../app/frame";
import { Loaded } from "../controls/loaded";
import { useResource } from "../controls/resource";
import { MarketingChoice } from "../settings/marketing";
import { listErasures, readAccount } from "./api";
import { CloseAccount } from "./close-account";
import { Erasures } from "./erasures";
import { ErasePerson } from "./erase-person";
import { Exports } from "./exports";
import "./privacy.css";

export function PrivacyPage() {
  const account = useResource(readAccount);
  const erasures = useResource(listErasures);
  return (
    <Page title="Privacy" about="Export what is stored about you and your logs, and erase it.">
      <div class="parts">
        <Exports byoc={account.value?.plan === "byoc"} />
        <ErasePerson onRequested={() => void erasures.reload()} />
        <section aria-labelledby="erasures">
          <h2 id="erasures">Erasures</h2>
          <Loaded resource={erasures}>
            {(list) => (
              <Erasures erasures={list} tenantId={account.value?.tenant_id ?? null} reload={erasures.reload} />
            )}
          </Loaded>
        </section>
        <section aria-labelledby="mails">
          <h2 id="mails">Mails</h2>
          <Loaded resource={account} lines={1}>
            {(profile) => <MarketingChoice optedIn={profile.marketing_opt_in} />}
          </Loaded>
        </section>
        <section aria-labelledby="delete-account">
          <h2 id="delete-account">Delete the account</h2>
          <Loaded resource={account} lines={2}>
            {(profile) => (
              <CloseAccount
                account={profile}
                erasures={erasures.value ?? []}
                onChanged={() => {
                  void account.reload();
                  void erasures.reload();
                }}
              />
            )}
          </Loaded>
        </section>
      </div>
    </Page>
  );
}
