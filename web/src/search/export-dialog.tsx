import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { ShownSearchExport } from "../api/schema";
import { Empty } from "../controls/empty";
import { Download, ExportStateMark, isInProgress } from "../controls/exports";
import { bytesText } from "../controls/format";
import { Loaded } from "../controls/loaded";
import { usePolling } from "../controls/polling";
import { Problem } from "../controls/problem";
import { useResource, type Resource } from "../controls/resource";
import { Select } from "../controls/select";
import { textOf, useSubmission } from "../controls/submission";
import { Submit } from "../controls/submit";
import { shortTime } from "../controls/time";
import type { Filter } from "./api";
import {
  estimateSearch,
  listSearchExports,
  readSearchExport,
  requestSearchExport,
  type Compression,
  type Format,
} from "./export-api";

const SHOWN = 5;
const numbers = new Intl.NumberFormat();

/** Exports all events of `filter` into a file, and lists the latest exports of the account. */
export function ExportDialog({ filter, onClose }: { filter: Filter; onClose(): void }) {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const exports = useResource(listSearchExports);
  const open = exports.value?.some((each) => isInProgress(each.status)) ?? false;
  usePolling(open, exports.reload, 3000);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="export" aria-labelledby={`${id}-title`} onClose={onClose}>
      <div class="stack">
        <h2 id={`${id}-title`}>Export events</h2>
        <p class="dim">
          {filter.query ? <code>{filter.query}</code> : "All events"} from {shortTime(filter.from)} to{" "}
          {shortTime(filter.to)}, oldest first. Events that arrive after your request are not in it.
        </p>
        <Cost filter={filter} />
        <RequestForm filter={filter} onRequested={exports.reload} />
        <h3>Latest exports</h3>
        <Loaded resource={exports} lines={2}>
          {(list) =>
            list.length === 0 ? (
              <Empty title="No exports yet">A file is ready within minutes, and is stored for three days.</Empty>
            ) : (
              <ExportTable exports={list.slice(0, SHOWN)} />
            )
          }
        </Loaded>
        <form method="dialog">
          <button class="button">Close</button>
        </form>
      </div>
    </dialog>
  );
}

function Cost({ filter }: { filter: Filter }) {
  const estimate = useResource((signal) => estimateSearch(filter, signal));
  return (
    <p role="status" class="dim">
      {estimateText(estimate)}
    </p>
  );
}

function estimateText({ value, problem }: Resource<{ rows: number; bytes: number }>): string {
  if (problem) return `No estimate: ${problem.message}`;
  if (!value) return "Estimating…";
  return `At most ${numbers.format(value.rows)} rows and ${bytesText(value.bytes)} are read for it.`;
}

function RequestForm({ filter, onRequested }: { filter: Filter; onRequested(): Promise<void> }) {
  const [format, setFormat] = useState<Format>("csv");
  const form = useSubmission(["format", "compression"], async (data) => {
    const compression = (textOf(data, "compression") || "gzip") as Compression;
    await requestSearchExport(filter, format, compression);
    await onRequested();
  });
  return (
    <form class="stack" onSubmit={form.onSubmit} aria-label="Request an export of these events">
      <div class="pair">
        <Select
          label="Format"
          name="format"
          value={format}
          onChange={(event) => setFormat(event.currentTarget.value as Format)}
        >
          <option value="csv">CSV, for spreadsheets</option>
          <option value="ndjson">NDJSON, exact</option>
          <option value="parquet">Parquet, exact</option>
        </Select>
        <Select label="Compression" name="compression">
          <option value="gzip">gzip</option>
          <option value="none">none</option>
        </Select>
      </div>
      {format === "csv" && (
        <p class="hint">Cells that a spreadsheet would run as a formula begin with an apostrophe.</p>
      )}
      <Problem problem={form.problem} />
      <div>
        <Submit form={form} kind="primary" busy="Requesting…">
          Export
        </Submit>
      </div>
    </form>
  );
}

function ExportTable({ exports }: { exports: ShownSearchExport[] }) {
  return (
    <table class="table">
      <thead>
        <tr>
          <th scope="col">Requested</th>
          <th scope="col">Query</th>
          <th scope="col">Format</th>
          <th scope="col">State</th>
          <th scope="col">Rows</th>
          <th scope="col">Size</th>
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
            <td data-label="Query">{each.query ? <code>{each.query}</code> : "all events"}</td>
            <td data-label="Format">{each.compression === "gzip" ? `${each.format}, gzip` : each.format}</td>
            <td data-label="State">
              <ExportStateMark state={each.status} />
              {each.reason && <span class="dim"> {each.reason.replaceAll("_", " ")}</span>}
            </td>
            <td data-label="Rows" class="number">
              {numbers.format(each.rows)}
            </td>
            <td data-label="Size" class="number">
              {bytesText(each.bytes)}
            </td>
            <td data-label="">
              {each.status === "ready" && <Download link={async () => (await readSearchExport(each.id)).link} />}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
