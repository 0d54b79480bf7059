import { useEffect, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { Page } from "../app/frame";
import { Problem } from "../controls/problem";
import { Snippet } from "../controls/snippet";
import { useSubmission } from "../controls/submission";
import { Submit } from "../controls/submit";
import { firstLine } from "../search/first-line";
import { Marked } from "../search/marked";
import { lineTime } from "../search/range";
import { createKey, type CreatedKey } from "../keys/api";
import { waitForLog, type FirstLog } from "./first-log";
import { CLIENTS, type Client } from "./snippets";
import "./start.css";

export function StartPage() {
  const [key, setKey] = useState<CreatedKey | null>(null);
  return (
    <Page title="Get started" about="Create a key, give it to a client, and see the first log arrive here.">
      <ol class="steps">
        <li>
          <h2>A key for your first client</h2>
          {key ? <FirstKey created={key} /> : <CreateFirstKey onCreated={setKey} />}
        </li>
        <li>
          <h2>Send a log</h2>
          <ClientSnippets text={key?.key ?? "YOUR-KEY"} />
        </li>
        <li>
          <h2>See it</h2>
          <Arrival />
        </li>
      </ol>
    </Page>
  );
}

function CreateFirstKey({ onCreated }: { onCreated(key: CreatedKey): void }) {
  const form = useSubmission([], async () => onCreated(await createKey("first client", ["ingest"])));
  return (
    <form class="stack" onSubmit={form.onSubmit}>
      <p class="dim">It may send logs and nothing else. More keys are under “Keys”.</p>
      <Problem problem={form.problem} />
      <div>
        <Submit form={form} kind="primary" busy="Creating…">
          Create the key
        </Submit>
      </div>
    </form>
  );
}

function FirstKey({ created }: { created: CreatedKey }) {
  return (
    <div class="stack">
      <p class="dim">The key is shown once: we store only its hash. It is filled in below.</p>
      <Snippet text={created.key} label="The key" />
    </div>
  );
}

function ClientSnippets({ text }: { text: string }) {
  const [client, setClient] = useState<Client>(CLIENTS[0]!);
  return (
    <div class="stack">
      <div class="row" role="group" aria-label="Client">
        {CLIENTS.map((each) => (
          <button
            key={each.name}
            type="button"
            class="button small"
            aria-pressed={each === client}
            onClick={() => setClient(each)}
          >
            {each.name}
          </button>
        ))}
      </div>
      <Snippet text={client.text(location.origin, text)} label={`Configuration for ${client.name}`} />
    </div>
  );
}

function Arrival() {
  const [log, setLog] = useState<FirstLog | null>(null);
  useEffect(() => {
    const leaving = new AbortController();
    waitForLog(new Date(Date.now() - 60_000), leaving.signal).then(setLog, () => undefined);
    return () => leaving.abort();
  }, []);
  return (
    <div class="arrival" role="status">
      {log ? (
        <>
          <p class="first-log">
            <i class={`level ${log.level}`} aria-hidden="true" />
            <time>{lineTime(log.timestamp, false)}</time>
            <span class="dim">
              <Marked text={log.service} />
            </span>
            <span>
              <Marked text={firstLine(log.message).first} />
            </span>
          </p>
          <p>
            Your first log is here. <Link href="/search">Search</Link> finds every one that follows.
          </p>
        </>
      ) : (
        <p class="dim">Waiting for your first log…</p>
      )}
    </div>
  );
}
