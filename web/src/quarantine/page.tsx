import { useState } from "preact/hooks";
import { call } from "../api/client";
import { ApiProblem } from "../api/problem";
import type { DocumentList, ListedDocument, ReplayStarted } from "../api/schema";
import { Page } from "../app/frame";
import { Empty } from "../controls/empty";
import { counted, dayText } from "../controls/format";
import { Loaded } from "../controls/loaded";
import { Problem } from "../controls/problem";
import { useResource } from "../controls/resource";
import { Sections, UPLOAD_SECTIONS } from "../controls/sections";
import { useSubmission } from "../controls/submission";
import { Submit } from "../controls/submit";
import { shortTime } from "../controls/time";
import { Marked } from "../search/marked";
import "./quarantine.css";

export function QuarantinePage() {
  const list = useResource((signal) => call<DocumentList>("GET", "/v1/quarantine", { signal }));
  return (
    <Page
      title="Quarantine"
      about="Accepted events that ClickHouse rejected. Nothing is lost: replay them when the cause is fixed."
    >
      <Sections label="Uploads" links={UPLOAD_SECTIONS} />
      <Loaded resource={noDestination(list.problem) ? { ...list, problem: null, value: NOTHING } : list}>
        {({ documents, unreadable }) => (
          <div class="stack">
            {documents.length === 0 ? (
              <Empty title="Nothing is quarantined">
                All accepted events are stored. Rows that cannot be stored are listed here, with the reason and a button
                that loads them again.
              </Empty>
            ) : (
              <ul class="documents">
                {documents.map((each) => (
                  <Document key={each.id} document={each} />
                ))}
              </ul>
            )}
            {unreadable.length > 0 && <Unreadable keys={unreadable} />}
          </div>
        )}
      </Loaded>
    </Page>
  );
}

const NOTHING: DocumentList = { documents: [], unreadable: [] };

/** A BYOC account before its bucket is set has nothing to look at. */
function noDestination(problem: Error | null): boolean {
  return problem instanceof ApiProblem && problem.code === "no_destination";
}

function Document({ document }: { document: ListedDocument }) {
  const [replayed, setReplayed] = useState<number | null>(null);
  const form = useSubmission([], async () => {
    const path = `/v1/quarantine/${encodeURIComponent(document.id)}/replay`;
    setReplayed((await call<ReplayStarted>("POST", path)).rows);
  });
  const rows = counted(document.rows, "row");
  return (
    <li>
      <div class="row between">
        <strong>{rows}</strong>
        <span class="faint number">
          {shortTime(document.set_aside_at)} · deleted on {dayText(document.expires_on)}
        </span>
      </div>
      <p>{document.reason}</p>
      <details>
        <summary>First rows</summary>
        <pre class="sample" tabIndex={0} aria-label="First rows">
          <Marked text={document.sample.join("\n")} />
        </pre>
        <p class="faint mono">
          From {document.source}, ClickHouse code {document.engine_code}
        </p>
      </details>
      <Problem problem={form.problem} />
      {replayed === null ? (
        <form onSubmit={form.onSubmit}>
          <Submit form={form} kind="small" busy="Replaying…" aria-label={`Replay ${rows}`}>
            Replay
          </Submit>
        </form>
      ) : (
        <p role="status" class="dim">
          {counted(replayed, "row")} staged again. They are searchable in about a minute, or are quarantined again with
          the reason.
        </p>
      )}
    </li>
  );
}

function Unreadable({ keys }: { keys: string[] }) {
  return (
    <section aria-labelledby="unreadable">
      <h2 id="unreadable">Objects that are no quarantined rows</h2>
      <p class="dim">The service did not write them. Delete them if they are not yours: they keep erasures open.</p>
      <ul class="stack mono">
        {keys.map((key) => (
          <li key={key}>{key}</li>
        ))}
      </ul>
    </section>
  );
}
