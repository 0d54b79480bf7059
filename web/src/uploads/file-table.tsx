import type { ListedUpload } from "../api/schema";
import { bytesText, count, counted } from "../controls/format";
import { Problem } from "../controls/problem";
import { State, type Tone } from "../controls/state";
import { useSubmission } from "../controls/submission";
import { shortTime } from "../controls/time";
import { resumeUpload } from "./api";

const STATES: Record<ListedUpload["state"], [Tone, string]> = {
  waiting: ["quiet", "not arrived"],
  reading: ["busy", "reading"],
  loading: ["busy", "loading"],
  done: ["good", "done"],
  partly: ["bad", "partly stored"],
  failed: ["bad", "failed"],
};

/** Codes after which reading can continue where it stopped (docs/uploads.md#resume-a-file). */
const RESUMABLE = new Set([
  "quota_exceeded",
  "trial_quota_exceeded",
  "payment_overdue",
  "trial_ended",
  "subscription_ended",
  "account_closing",
]);

const ARRIVAL_MS = 10 * 60_000;

/** Whether the file's state will change soon by itself. */
export function isMoving(file: ListedUpload): boolean {
  if (file.state === "waiting") return Date.now() - Date.parse(file.created_at) < ARRIVAL_MS;
  return file.state === "reading" || file.state === "loading";
}

export function FileTable({ files, onResumed }: { files: ListedUpload[]; onResumed(): void }) {
  return (
    <table class="table">
      <thead>
        <tr>
          <th scope="col">File</th>
          <th scope="col">State</th>
          <th scope="col">Rows stored</th>
          <th scope="col">Size</th>
          <th scope="col">Added</th>
        </tr>
      </thead>
      <tbody>
        {files.map((file) => (
          <tr key={file.id}>
            <td data-label="File">
              <div class="file">
                <span class="name">{file.filename}</span>
                <Details file={file} onResumed={onResumed} />
              </div>
            </td>
            <td data-label="State">
              <StateOf file={file} />
            </td>
            <td data-label="Rows stored" class="number">
              {count(file.rows_stored)}
            </td>
            <td data-label="Size" class="number">
              {bytesText(file.size)}
            </td>
            <td data-label="Added" class="number">
              {shortTime(file.created_at)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function StateOf({ file }: { file: ListedUpload }) {
  const [tone, word] = STATES[file.state];
  const percent = file.state === "reading" ? ` ${Math.floor(file.progress * 100)} %` : "";
  return <State tone={tone}>{`${word}${percent}`}</State>;
}

/** Format, why a file stopped, and which of its records were rejected. */
function Details({ file, onResumed }: { file: ListedUpload; onResumed(): void }) {
  const format = [file.format, file.compression].filter((each) => each && each !== "none").join(", ");
  return (
    <>
      {format && <span class="faint">{format}</span>}
      {file.error && <span>{file.error.reason}</span>}
      {file.error && RESUMABLE.has(file.error.code) && <Resume file={file} onResumed={onResumed} />}
      {file.rows_refused > 0 && (
        <details>
          <summary>{counted(file.rows_refused, "record")} rejected</summary>
          <ul class="refusals">
            {file.refusals.map((each) => (
              <li key={each.index}>
                <span class="faint number">record {count(each.index)}</span> {each.reason}
              </li>
            ))}
            {file.rows_refused > file.refusals.length && (
              <li class="faint">and {count(file.rows_refused - file.refusals.length)} more</li>
            )}
          </ul>
        </details>
      )}
    </>
  );
}

function Resume({ file, onResumed }: { file: ListedUpload; onResumed(): void }) {
  const form = useSubmission([], async () => {
    await resumeUpload(file.id);
    onResumed();
  });
  return (
    <form class="stack" onSubmit={form.onSubmit}>
      <Problem problem={form.problem} />
      <div>
        <button class="button small" disabled={form.busy} aria-label={`Resume ${file.filename}`}>
          Resume
        </button>
      </div>
    </form>
  );
}
