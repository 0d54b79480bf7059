import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import type { ListedUpload, UploadSettings } from "../api/schema";
import { Page } from "../app/frame";
import { Empty } from "../controls/empty";
import { Loaded } from "../controls/loaded";
import { More } from "../controls/more";
import { usePolling } from "../controls/polling";
import { Problem } from "../controls/problem";
import { useResource } from "../controls/resource";
import { Sections, UPLOAD_SECTIONS } from "../controls/sections";
import { Select } from "../controls/select";
import { Snippet } from "../controls/snippet";
import { useSubmission } from "../controls/submission";
import { readAccount } from "../privacy/api";
import { readBilling } from "../usage/api";
import { standing } from "../usage/standing";
import { announce, changeOriginal, listUploads, readUploadSettings } from "./api";
import { DropZone } from "./drop-zone";
import { useDrops } from "./drops";
import { FileTable, isMoving } from "./file-table";
import { putFile } from "./put";
import { Transfers } from "./transfers";
import { TransferList } from "./transfer-list";
import "./uploads.css";

export function UploadsPage() {
  const account = useResource(readAccount);
  const files = useFiles();
  const transfers = useMemo(() => new Transfers({ announce, put: putFile }, () => void files.reload()), []);
  useEffect(() => () => transfers.cancelAll(), [transfers]);
  const send = useCallback((chosen: File[]) => transfers.add(chosen), [transfers]);
  const over = useDrops(account.value && account.value.plan !== "byoc" ? send : undefined);
  return (
    <Page title="Uploads" about="Log files of any format and size. Their records are searchable about a minute later.">
      <Sections label="Uploads" links={UPLOAD_SECTIONS} />
      <div class="parts">
        <OverQuota />
        <section aria-label="Send files">
          <Loaded resource={account} lines={4}>
            {(profile) => (profile.plan === "byoc" ? <OwnBucket /> : <DropZone over={over} onFiles={send} />)}
          </Loaded>
          <TransferList transfers={transfers} />
        </section>
        <section aria-labelledby="files">
          <h2 id="files">Files</h2>
          <Loaded resource={files}>
            {(list) =>
              list.length === 0 ? (
                <Empty title="No files yet">
                  Put a log file above: text, JSON, CSV, Parquet, or logs of AWS, compressed or not. Each file and what
                  became of its records is listed here.
                </Empty>
              ) : (
                <>
                  <FileTable files={list} onResumed={() => void files.reload()} />
                  {files.more && <More load={files.more}>Show older files</More>}
                </>
              )
            }
          </Loaded>
        </section>
        <Originals />
      </div>
    </Page>
  );
}

/** The newest files, and older ones as far as the person asked for them; looked at again while any is moving. */
function useFiles() {
  const [older, setOlder] = useState<ListedUpload[]>([]);
  const [cursor, setCursor] = useState<string | null | undefined>(undefined);
  const newest = useResource((signal) => listUploads(undefined, signal));
  const value = newest.value && merged(newest.value.uploads, older);
  const next = cursor === undefined ? (newest.value?.next_cursor ?? null) : cursor;
  const reload = newest.reload;
  usePolling(value?.some(isMoving) ?? false, reload);
  const more = useCallback(async () => {
    const page = await listUploads(next ?? undefined);
    setOlder((known) => [...known, ...page.uploads]);
    setCursor(page.next_cursor);
  }, [next]);
  return { value, problem: newest.problem, reload, more: next === null ? null : more };
}

/** A file that moved from the newest page to an older one while they were loaded is there once. */
function merged(newest: ListedUpload[], older: ListedUpload[]): ListedUpload[] {
  const known = new Set(newest.map((each) => each.id));
  return [...newest, ...older.filter((each) => !known.has(each.id))];
}

function OverQuota() {
  const billing = useResource(readBilling);
  if (!billing.value || billing.value.accepting) return null;
  return (
    <div class="notice bad" role="alert">
      <p>
        {standing(billing.value).text} Files wait until logs are accepted again. <Link href="/billing">See why</Link>
      </p>
    </div>
  );
}

/** A browser can put files into our bucket only: the page's policy names its address, and no other. */
function OwnBucket() {
  const settings = useResource(readUploadSettings);
  return (
    <Loaded resource={settings} lines={2}>
      {({ bucket, prefix }: UploadSettings) => (
        <>
          <p class="dim">
            Your files are in your own bucket. Put them below this prefix, and they are found in minutes:
          </p>
          <Snippet label="Command" text={`aws s3 cp app.log.gz s3://${bucket}/${prefix}`} />
        </>
      )}
    </Loaded>
  );
}

function Originals() {
  const settings = useResource(readUploadSettings);
  const [chosen, setChosen] = useState<UploadSettings["original"] | null>(null);
  const form = useSubmission([], async (data) => {
    setChosen((await changeOriginal(data.get("original") as UploadSettings["original"])).original);
  });
  if (!settings.value) return null;
  return (
    <section aria-labelledby="originals">
      <h2 id="originals">Originals</h2>
      <form class="stack narrow" onSubmit={form.onSubmit}>
        <Select label="When every record is searchable" name="original" defaultValue={settings.value.original}>
          <option value="delete">delete the file</option>
          <option value="keep">keep the file</option>
        </Select>
        <Problem problem={form.problem} />
        <div class="row">
          <button class="button" disabled={form.busy}>
            Save
          </button>
          <span role="status" class="dim">
            {chosen && !form.busy ? "Saved, for files announced from now on." : ""}
          </span>
        </div>
      </form>
    </section>
  );
}
