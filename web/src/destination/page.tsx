import { useState } from "preact/hooks";
import type { DestinationWithHealth, TestReport } from "../api/schema";
import { Page } from "../app/frame";
import { ConfirmDialog } from "../controls/dialog";
import { Loaded } from "../controls/loaded";
import { Problem } from "../controls/problem";
import { useResource } from "../controls/resource";
import { Sections, SETTINGS_SECTIONS } from "../controls/sections";
import { State } from "../controls/state";
import { useSubmission } from "../controls/submission";
import { Submit } from "../controls/submit";
import { shortTime } from "../controls/time";
import { readDestination, removeDestination, testDestination } from "./api";
import { DestinationFormPart } from "./form";
import { Steps } from "./steps";
import "./destination.css";

export function DestinationPage() {
  const destination = useResource(readDestination);
  return (
    <Page
      title="Destination"
      about="Your own bucket and ClickHouse. With the plan “Bring your own cloud”, logs are stored there and nowhere else."
    >
      <Sections label="Settings" links={SETTINGS_SECTIONS} />
      <Loaded resource={destination} lines={8}>
        {({ stored }) => (
          <div class="parts">
            {stored ? (
              <Stored stored={stored} onRemoved={() => void destination.reload()} />
            ) : (
              <p class="notice">
                No destination is set: your logs are stored with us. Enter yours below; each of its 14 steps is tested
                before anything is saved.
              </p>
            )}
            <section aria-labelledby="change">
              <h2 id="change">{stored ? "Change it" : "Set the destination"}</h2>
              <DestinationFormPart
                key={stored?.version ?? 0}
                stored={stored}
                onStored={() => void destination.reload()}
              />
            </section>
          </div>
        )}
      </Loaded>
    </Page>
  );
}

function Stored({ stored, onRemoved }: { stored: DestinationWithHealth; onRemoved(): void }) {
  const { bucket, clickhouse, health } = stored;
  const [removing, setRemoving] = useState(false);
  const [report, setReport] = useState<TestReport | null>(null);
  const test = useSubmission([], async () => {
    setReport(null);
    setReport(await testDestination(null));
  });
  return (
    <section aria-labelledby="stored">
      <h2 id="stored">Now</h2>
      <dl class="facts">
        <dt>State</dt>
        <dd>
          <State tone={health.state === "ok" ? "good" : "bad"}>
            {health.state === "ok"
              ? "works"
              : `failing${health.reason ? `: ${health.reason.replaceAll("_", " ")}` : ""}`}
          </State>
          {health.since && <span class="faint"> since {shortTime(health.since)}</span>}
        </dd>
        <dt>Bucket</dt>
        <dd class="mono">
          {bucket.name} in {bucket.region}
          {bucket.endpoint && `, ${bucket.endpoint}`}
        </dd>
        <dt>Access</dt>
        <dd class="mono">{bucket.role_arn ?? `access key …${bucket.access_key_ends_with}`}</dd>
        <dt>ClickHouse</dt>
        <dd class="mono">
          {clickhouse.host}:{clickhouse.port}, database {clickhouse.database}
        </dd>
        <dt>Guarantee</dt>
        <dd>{stored.guarantee.replaceAll("_", " ")}</dd>
        <dt>Saved</dt>
        <dd>{shortTime(stored.updated_at)}</dd>
      </dl>
      <form class="stack" onSubmit={test.onSubmit}>
        <Problem problem={test.problem} />
        <div class="row">
          <Submit form={test} busy="Testing…">
            Test it now
          </Submit>
          <button type="button" class="button danger" onClick={() => setRemoving(true)}>
            Remove it
          </button>
        </div>
        {(test.busy || report) && <Steps report={report} withRole={bucket.role_arn !== null} />}
      </form>
      {removing && (
        <ConfirmDialog
          title="Remove the destination"
          action="Remove the destination"
          keep="Keep it"
          danger
          typed={{ label: "The name of the bucket", text: bucket.name }}
          onConfirm={async () => {
            await removeDestination();
            onRemoved();
          }}
          onClose={() => setRemoving(false)}
        >
          <p>
            The stored credentials are destroyed, and new logs are rejected on the plan “Bring your own cloud”. Your
            bucket and ClickHouse stay as they are; events that wait in the bucket are loaded if you set it again within
            30 days.
          </p>
        </ConfirmDialog>
      )}
    </section>
  );
}
