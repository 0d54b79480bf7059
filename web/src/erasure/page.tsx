import { Link, useParams } from "wouter-preact";
import type { PublicErasure } from "../api/schema";
import { call } from "../api/client";
import { ApiProblem } from "../api/problem";
import { Entrance } from "../app/frame";
import { Problem } from "../controls/problem";
import { usePolling } from "../controls/polling";
import { useResource } from "../controls/resource";
import { Skeleton } from "../controls/skeleton";
import { State } from "../controls/state";
import { shortTime } from "../controls/time";
import { ERASURE_TONES } from "../privacy/erasures";
import { ReceiptFacts } from "../privacy/receipt-facts";
import "../privacy/privacy.css";

const EVERY_MS = 10_000;

/** State and receipt of one erasure, for everyone who has its id: the account may be deleted. */
export function ErasurePage() {
  const { id = "" } = useParams<{ id: string }>();
  const { value: erasure, problem, reload } = useResource((signal) => readPublicErasure(id, signal));
  const isUnknown = problem instanceof ApiProblem && (problem.status === 401 || problem.status === 404);
  usePolling(erasure !== null && ERASURE_TONES[erasure.state] === "busy", reload, EVERY_MS);
  return (
    <Entrance title="Erasure" about={<span class="mono">{id}</span>}>
      {erasure ? (
        <Status erasure={erasure} />
      ) : isUnknown ? (
        <p>No erasure has this link. Check that the address is complete.</p>
      ) : problem ? (
        <Problem problem={problem} retry={() => void reload()} />
      ) : (
        <Skeleton lines={6} />
      )}
      <nav aria-label="Other pages">
        <Link href="/privacy">
          {erasure && canCancel(erasure) ? "Sign in to cancel it" : "All erasures of your account"}
        </Link>
      </nav>
    </Entrance>
  );
}

function Status({ erasure }: { erasure: PublicErasure }) {
  const { kind, state, receipt } = erasure;
  const isBusy = ERASURE_TONES[state] === "busy";
  return (
    <div class="stack">
      <div class="erasure-head">
        <strong>{kind === "account" ? "An account and all of its logs" : "The logs of a person"}</strong>
        <State tone={ERASURE_TONES[state]}>{state}</State>
      </div>
      <p class="dim">
        Requested {shortTime(erasure.requested_at)}.
        {isBusy && ` Begins ${shortTime(erasure.starts_at)}, done by ${shortTime(erasure.due_by)} at the latest.`}
      </p>
      {receipt && (
        <div class="receipt stack">
          <ReceiptFacts id={erasure.id} receipt={receipt} />
        </div>
      )}
    </div>
  );
}

/** The erasure of an account waits; that of a person begins at once. */
function canCancel({ kind, state }: PublicErasure): boolean {
  return kind === "account" && state === "requested";
}

/** Without the session: the erasure may be another account's, and the answer is for every caller with the id. */
function readPublicErasure(id: string, signal: AbortSignal): Promise<PublicErasure> {
  return call("GET", `/v1/erasures/${encodeURIComponent(id)}`, { anonymous: true, signal });
}
