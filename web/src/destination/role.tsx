import { useState } from "preact/hooks";
import type { RoleSetup } from "../api/schema";
import { Problem } from "../controls/problem";
import { Snippet } from "../controls/snippet";
import { readRole } from "./api";

/** What the person creates in AWS before the role's ARN can be entered. */
export function RoleHelp({ bucket }: { bucket(): string }) {
  const [setup, setSetup] = useState<RoleSetup | null>(null);
  const [problem, setProblem] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);

  async function show(): Promise<void> {
    setBusy(true);
    setProblem(null);
    try {
      setSetup(await readRole(bucket()));
    } catch (fault) {
      setProblem(fault as Error);
    } finally {
      setBusy(false);
    }
  }

  return (
    <div class="stack role-help">
      <p class="dim">
        A role gives us no secret. Create it in your AWS account with these two policies, then enter its ARN.
      </p>
      <div>
        <button type="button" class="button small" disabled={busy} onClick={() => void show()}>
          {setup ? "Make the policies again" : "Show the external id and the policies"}
        </button>
      </div>
      <Problem problem={problem} />
      {setup && (
        <>
          <dl class="facts">
            <dt>Name of the role</dt>
            <dd class="mono">{setup.role_name}, or a name that begins so</dd>
            <dt>Our AWS account</dt>
            <dd class="mono">{setup.account_id}</dd>
            <dt>External id</dt>
            <dd class="mono">{setup.external_id}</dd>
          </dl>
          <h3>Trust policy</h3>
          <Snippet label="Trust policy" text={JSON.stringify(setup.trust_policy, null, 2)} />
          <h3>Permission policy</h3>
          <Snippet label="Permission policy" text={JSON.stringify(setup.permission_policy, null, 2)} />
        </>
      )}
    </div>
  );
}
