import { useState } from "preact/hooks";
import type { ListedExport } from "../api/schema";
import { Empty } from "../controls/empty";
import { Download, ExportStateMark, isInProgress } from "../controls/exports";
import { Check, Field } from "../controls/field";
import { bytesText } from "../controls/format";
import { Loaded } from "../controls/loaded";
import { usePolling } from "../controls/polling";
import { Problem } from "../controls/problem";
import { useResource } from "../controls/resource";
import { textOf, useSubmission } from "../controls/submission";
import { Submit } from "../controls/submit";
import { shortTime } from "../controls/time";
import { listExports, readExport, requestExport } from "./api";

/** A request for an archive of the account's data, and the archives until they expire. */
export function Exports({ byoc }: { byoc: boolean }) {
  const exports = useResource(listExports);
  const open = exports.value?.some((each) => isInProgress(each.state)) ?? false;
  usePolling(open, exports.reload, 4000);
  return (
    <section aria-labelledby="exports">
      <h2 id="exports">Data export</h2>
      <p class="dim">
        A ZIP archive with everything stored about the account, as NDJSON and CSV. It is usually ready within minutes,
        and is deleted after 7 days. You get a mail for each request.
      </p>
      {!open && exports.value && <RequestExport byoc={byoc} onRequested={() => void exports.reload()} />}
      <Loaded resource={exports} lines={2}>
        {(list) =>
          list.length === 0 ? (
            <Empty title="No exports yet">Request one above. Its link appears here when the archive is ready.</Empty>
          ) : (
            <ExportTable exports={list} />
          )
        }
      </Loaded>
    </section>
  );
}

function RequestExport({ byoc, onRequested }: { byoc: boolean; onRequested(): void }) {
  const [withLogs, setWithLogs] = useState(false);
  const form = useSubmission(["logs"], async (data) => {
    const logs = withLogs ? { from: dayStart(textOf(data, "from")), to: dayEnd(textOf(data, "to")) } : null;
    await requestExport({ logs });
    onRequested();
  });
  const today = new Date().toISOString().slice(0, 10);
  return (
    <form class="stack" onSubmit={form.onSubmit} aria-label="Request an export">
      {!byoc && (
        <Check
          name="with_logs"
          label="Include the logs of a period"
          checked={withLogs}
          onChange={(event) => setWithLogs(event.currentTarget.checked)}
        />
      )}
      {withLogs && (
        <div class="pair">
          <Field label="From (UTC day)" name="from" type="date" defaultValue={today} required />
          <Field label="To, included" name="to" type="date" defaultValue={today} required wrong={form.wrong("logs")} />
        </div>
      )}
      <Problem problem={form.problem} />
      <div>
        <Submit form={form} busy="Requesting…">
          Request an export
        </Submit>
      </div>
    </form>
  );
}

function ExportTable({ exports }: { exports: ListedExport[] }) {
  return (
    <table class="table">
      <thead>
        <tr>
          <th scope="col">Requested</th>
          <th scope="col">Logs</th>
          <th scope="col">State</th>
          <th scope="col">Size</th>
          <th scope="col">Deleted on</th>
          <th scope="col">
            <span class="hidden-text">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {exports.map((each) => (
          <tr key={each.id}>
            <td data-label="Requested" class="number">
              {shortTime(each.requested_at)}
            </td>
            <td data-label="Logs" class="number">
              {each.logs ? `${shortTime(each.logs.from)} – ${shortTime(each.logs.to)}` : "none"}
            </td>
            <td data-label="State">
              <ExportStateMark state={each.state} />
            </td>
            <td data-label="Size" class="number">
              {each.bytes === null ? "–" : bytesText(each.bytes)}
            </td>
            <td data-label="Deleted on" class="number">
              {each.expires_at ? shortTime(each.expires_at) : "–"}
            </td>
            <td data-label="">
              {each.state === "ready" && <Download link={async () => (await readExport(each.id)).url} />}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function dayStart(day: string): string {
  return `${day}T00:00:00Z`;
}

function dayEnd(day: string): string {
  return new Date(Date.parse(dayStart(day)) + 86_400_000).toISOString();
}
