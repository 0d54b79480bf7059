import { useCallback, useState } from "preact/hooks";
import { call } from "../api/client";
import type { AuditEntries, AuditEntry } from "../api/schema";
import { Page } from "../app/frame";
import { Empty } from "../controls/empty";
import { Loaded } from "../controls/loaded";
import { More } from "../controls/more";
import { useResource } from "../controls/resource";
import { Sections, SETTINGS_SECTIONS } from "../controls/sections";
import { shortTime } from "../controls/time";
import { actionText, actorText } from "./words";

function readPage(cursor: string | undefined, signal?: AbortSignal): Promise<AuditEntries> {
  return call("GET", "/v1/audit", { query: { limit: 50, cursor }, ...(signal ? { signal } : {}) });
}

export function AuditPage() {
  const first = useResource((signal) => readPage(undefined, signal));
  const [older, setOlder] = useState<AuditEntry[]>([]);
  const [cursor, setCursor] = useState<string | null | undefined>(undefined);
  const next = cursor === undefined ? (first.value?.next_cursor ?? null) : cursor;
  const more = useCallback(async () => {
    const page = await readPage(next ?? undefined);
    setOlder((known) => [...known, ...page.entries]);
    setCursor(page.next_cursor);
  }, [next]);
  return (
    <Page title="Audit" about="Who changed what in this account, newest first. Entries cannot be changed or deleted.">
      <Sections label="Settings" links={SETTINGS_SECTIONS} />
      <Loaded resource={first} lines={10}>
        {({ entries }) =>
          entries.length === 0 ? (
            <Empty title="No entries yet">Changes of keys, plan, destination and people are recorded here.</Empty>
          ) : (
            <div class="stack">
              <AuditTable entries={[...entries, ...older]} />
              {next !== null && <More load={more}>Show older entries</More>}
            </div>
          )
        }
      </Loaded>
    </Page>
  );
}

function AuditTable({ entries }: { entries: AuditEntry[] }) {
  return (
    <table class="table">
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">What</th>
          <th scope="col">By</th>
          <th scope="col">From</th>
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => (
          <tr key={entry.id}>
            <td data-label="When" class="number">
              <time dateTime={entry.at}>{shortTime(entry.at)}</time>
            </td>
            <td data-label="What">
              <div>
                {actionText(entry.action)}
                {entry.subject && <div class="faint mono">{entry.subject}</div>}
              </div>
            </td>
            <td data-label="By">{actorText(entry.actor)}</td>
            <td data-label="From" class="mono" title={entry.user_agent}>
              {entry.from}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
