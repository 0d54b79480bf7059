import { useRef, useState } from "preact/hooks";
import { ApiProblem } from "../api/problem";
import type { DestinationWithHealth, TestReport } from "../api/schema";
import { Field } from "../controls/field";
import { Problem } from "../controls/problem";
import { textOf, useSubmission } from "../controls/submission";
import { Submit } from "../controls/submit";
import { storeDestination, testDestination } from "./api";
import { destinationBody, type Access } from "./form-body";
import { RoleHelp } from "./role";
import { Steps } from "./steps";

export function DestinationFormPart(props: { stored: DestinationWithHealth | null; onStored(): void }) {
  const { stored, onStored } = props;
  const form = useRef<HTMLFormElement>(null);
  const [access, setAccess] = useState<Access>(stored ? "kept" : "role");
  const [report, setReport] = useState<TestReport | null>(null);
  const action = useRef<"test" | "store">("store");
  const submission = useSubmission([], async (data) => {
    setReport(null);
    const body = destinationBody((name) => textOf(data, name), access);
    if (action.current === "test") return setReport(await testDestination(body));
    const result = await storeDestination(body);
    setReport(result);
    if (result.usable) onStored();
  });
  const { problem } = submission;
  const path = problem instanceof ApiProblem ? problem.details["field"] : undefined;
  const wrong = (name: string) => (path === name ? problem!.message : undefined);
  const shown = typeof path === "string" && form.current?.elements.namedItem(path) != null;
  return (
    <form
      ref={form}
      class="stack"
      onSubmit={(event) => {
        action.current = (event.submitter as HTMLButtonElement | null)?.value === "test" ? "test" : "store";
        submission.onSubmit(event);
      }}
      noValidate
      autocomplete="off"
      aria-label="Destination"
    >
      <BucketFields stored={stored} access={access} onAccess={setAccess} wrong={wrong} form={form} />
      <ClickHouseFields stored={stored} wrong={wrong} />
      <Problem problem={shown ? null : problem} />
      <div class="row">
        <Submit form={submission} kind="primary" busy="Testing…" name="action" value="store">
          Test and save
        </Submit>
        <button class="button" name="action" value="test" disabled={submission.busy}>
          Test only
        </button>
      </div>
      {(submission.busy || report) && <Steps report={report} withRole={access === "role"} />}
    </form>
  );
}

interface PartProps {
  stored: DestinationWithHealth | null;
  wrong(name: string): string | undefined;
}

function BucketFields(
  props: PartProps & {
    access: Access;
    onAccess(access: Access): void;
    form: { readonly current: HTMLFormElement | null };
  },
) {
  const { stored, access, wrong } = props;
  const bucketName = () => String(new FormData(props.form.current!).get("bucket.name") ?? "").trim();
  return (
    <fieldset class="part">
      <legend>Bucket</legend>
      <div class="pair">
        <Field
          label="Name"
          name="bucket.name"
          placeholder="acme-logs"
          defaultValue={stored?.bucket.name ?? ""}
          wrong={wrong("bucket.name")}
        />
        <Field
          label="Region"
          name="bucket.region"
          placeholder="eu-central-1"
          defaultValue={stored?.bucket.region ?? ""}
          wrong={wrong("bucket.region")}
        />
      </div>
      <div class="choices" role="radiogroup" aria-label="Access">
        {stored && <AccessChoice {...props} value="kept" label={keptText(stored)} />}
        <AccessChoice {...props} value="role" label="By a role in your AWS account, without a secret" />
        <AccessChoice {...props} value="key" label="By an access key: for services other than AWS" />
      </div>
      {access === "role" && (
        <>
          <RoleHelp bucket={bucketName} />
          <Field
            label="ARN of the role"
            name="bucket.role_arn"
            placeholder="arn:aws:iam::111122223333:role/byoc-astralog"
            wrong={wrong("bucket.role_arn")}
          />
        </>
      )}
      {access !== "role" && (
        <Field
          label="Endpoint (only for services other than AWS)"
          name="bucket.endpoint"
          placeholder="https://s3.example.com"
          defaultValue={stored?.bucket.endpoint ?? ""}
          wrong={wrong("bucket.endpoint")}
        />
      )}
      {access === "key" && (
        <div class="pair">
          <Field
            label="Access key id"
            name="bucket.access_key_id"
            placeholder="AKIA…"
            autocomplete="off"
            wrong={wrong("bucket.access_key_id")}
          />
          <Field
            label="Secret access key"
            name="bucket.secret_access_key"
            type="password"
            autocomplete="off"
            hint="Encrypted with a key of its own, and never shown again."
            wrong={wrong("bucket.secret_access_key")}
          />
        </div>
      )}
    </fieldset>
  );
}

function AccessChoice(props: { value: Access; access: Access; label: string; onAccess(access: Access): void }) {
  return (
    <label class="check">
      <input
        type="radio"
        name="access"
        value={props.value}
        checked={props.access === props.value}
        onChange={() => props.onAccess(props.value)}
      />
      <span>{props.label}</span>
    </label>
  );
}

function keptText({ bucket }: DestinationWithHealth): string {
  return bucket.role_arn
    ? `By the stored role ${bucket.role_arn}`
    : `By the stored access key that ends with ${bucket.access_key_ends_with}`;
}

function ClickHouseFields({ stored, wrong }: PartProps) {
  const kept = stored ? "Leave it empty to keep the stored one." : undefined;
  return (
    <fieldset class="part">
      <legend>ClickHouse</legend>
      <div class="pair">
        <Field
          label="Address"
          name="clickhouse.host"
          placeholder="ch.acme.com:8443"
          hint="HTTPS, reachable from the internet; port 8443 if you name none."
          defaultValue={stored ? addressText(stored) : ""}
          wrong={wrong("clickhouse.host") ?? wrong("clickhouse.port")}
        />
        <Field
          label="Database"
          name="clickhouse.database"
          placeholder="logs"
          defaultValue={stored?.clickhouse.database ?? ""}
          wrong={wrong("clickhouse.database")}
        />
      </div>
      <div class="pair">
        <Field label="User" name="clickhouse.user" autocomplete="off" hint={kept} wrong={wrong("clickhouse.user")} />
        <Field
          label="Password"
          name="clickhouse.password"
          type="password"
          autocomplete="new-password"
          hint={kept ?? "Encrypted with a key of its own, and never shown again."}
          wrong={wrong("clickhouse.password")}
        />
        <Field
          label="Days until expires_on"
          name="retention_days"
          inputMode="numeric"
          hint="We never delete rows in your ClickHouse."
          defaultValue={String(stored?.retention_days ?? 3650)}
          wrong={wrong("retention_days")}
        />
      </div>
    </fieldset>
  );
}

function addressText({ clickhouse }: DestinationWithHealth): string {
  return `${clickhouse.secure ? "" : "http://"}${clickhouse.host}:${clickhouse.port}`;
}
