import { useState } from "preact/hooks";
import { ConfirmDialog } from "../controls/dialog";
import { Field } from "../controls/field";
import { counted } from "../controls/format";
import { Problem } from "../controls/problem";
import { Select } from "../controls/select";
import { textOf, useSubmission } from "../controls/submission";
import { Submit } from "../controls/submit";
import { shortTime } from "../controls/time";
import { Marked } from "../search/marked";
import { erasePerson, previewErasure, type Preview } from "./api";
import { fieldText, type Person } from "./person";

interface Found {
  person: Person;
  preview: Preview;
}

/** Erase a person from the logs: whom, then how many rows, then the confirmation. */
export function ErasePerson({ onRequested }: { onRequested(): void }) {
  const [found, setFound] = useState<Found | null>(null);
  const [confirming, setConfirming] = useState(false);
  const [requested, setRequested] = useState<string | null>(null);
  return (
    <section aria-labelledby="erase-person">
      <h2 id="erase-person">Erase a person from the logs</h2>
      <p class="dim">
        Removes every row that mentions the person, everywhere, and leaves a receipt. It cannot be cancelled.
      </p>
      <WhomForm
        onFound={(each) => {
          setRequested(null);
          setFound(each);
        }}
      />
      {found && <Counted found={found} onErase={() => setConfirming(true)} />}
      {requested && (
        <p class="notice good" role="status">
          The erasure of <strong>{requested}</strong> is requested. Work begins within five minutes; its state and
          receipt are below.
        </p>
      )}
      {found && confirming && (
        <ConfirmDialog
          title="Erase this person"
          action="Erase for good"
          keep="Keep the rows"
          danger
          typed={{ label: "The value that identifies the person", text: found.person.value }}
          onConfirm={async () => {
            await erasePerson(found.person);
            setRequested(found.person.value);
            setFound(null);
            onRequested();
          }}
          onClose={() => setConfirming(false)}
        >
          <p>
            {counted(found.preview.rows, "row")} where {fieldText(found.person.field)}{" "}
            <strong class="mono">{found.person.value}</strong>, and quarantined rows and data exports that hold it. Rows
            that arrive later stay.
          </p>
        </ConfirmDialog>
      )}
    </section>
  );
}

function WhomForm({ onFound }: { onFound(found: Found | null): void }) {
  const [place, setPlace] = useState<"metadata" | "message">("metadata");
  const form = useSubmission(["where", "field", "value"], async (data) => {
    onFound(null);
    const key = textOf(data, "key").replace(/^(metadata\.|@)/, "");
    const value = textOf(data, "value");
    if (place === "metadata" && !key) throw new Error("Name the field of the metadata, such as email.");
    if (!value) throw new Error("Enter the value that identifies the person.");
    const person = { field: place === "message" ? "message" : `metadata.${key}`, value };
    onFound({ person, preview: await previewErasure(person) });
  });
  return (
    <form class="stack" onSubmit={form.onSubmit} noValidate aria-labelledby="erase-person">
      <div class="pair">
        <Select
          label="Rows in which"
          name="place"
          value={place}
          onChange={(event) => setPlace(event.currentTarget.value as "metadata" | "message")}
        >
          <option value="metadata">a field equals</option>
          <option value="message">the message contains</option>
        </Select>
        {place === "metadata" && (
          <Field label="Field of the metadata" name="key" placeholder="email" autocapitalize="off" autocomplete="off" />
        )}
        <Field
          label="Value"
          name="value"
          placeholder="bob@example.com"
          autocapitalize="off"
          autocomplete="off"
          spellcheck={false}
          wrong={form.wrong("value") ?? form.wrong("field") ?? form.wrong("where")}
        />
      </div>
      <Problem problem={form.problem} />
      <div>
        <Submit form={form} busy="Counting…">
          Count the rows
        </Submit>
      </div>
    </form>
  );
}

function Counted({ found, onErase }: { found: Found; onErase(): void }) {
  const { rows, newest } = found.preview;
  return (
    <div class="notice stack" role="status">
      <p>
        <strong>{counted(rows, "row")}</strong> where {fieldText(found.person.field)}{" "}
        <span class="mono">{found.person.value}</span>.
        {rows === 0 && " Quarantined rows and data exports are not counted; an erasure looks there too."}
      </p>
      {newest.length > 0 && (
        <ul class="newest" aria-label="The newest of them">
          {newest.map((event, index) => (
            <li key={index} class="mono">
              <time class="faint">{shortTime(event.timestamp)}</time>{" "}
              <span class="dim">
                <Marked text={event.service} />
              </span>{" "}
              <Marked text={event.message.slice(0, 200)} />
            </li>
          ))}
        </ul>
      )}
      <div>
        <button type="button" class="button danger" onClick={onErase}>
          {rows === 0 ? "Erase anyway" : `Erase ${counted(rows, "row")}`}
        </button>
      </div>
    </div>
  );
}
