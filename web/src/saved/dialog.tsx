import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { actorText } from "../audit/words";
import { Field } from "../controls/field";
import { Problem } from "../controls/problem";
import { useResource } from "../controls/resource";
import { Skeleton } from "../controls/skeleton";
import { CopyButton } from "../controls/snippet";
import { textOf, useSubmission } from "../controls/submission";
import { shortTime } from "../controls/time";
import { writeAddress, type SearchAddress } from "../search/address";
import { rangeName } from "../search/range";
import { changeSaved, deleteSaved, saveSearch, type SavedSearch } from "./api";
import { addressOf, stateOf } from "./state";
import { dropSaved, keepSaved, loadSaved, savedSearches } from "./store";
import "./saved.css";

export interface SavedDialogProps {
  address: SearchAddress;
  onClose(): void;
}

/** Save what the search page shows under a name; open, rename and delete what is saved. */
export function SavedDialog({ address, onClose }: SavedDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const close = useRef<HTMLButtonElement>(null);
  const loading = useResource(loadSaved);
  const saved = savedSearches.value;
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="saved" aria-labelledby="saved-title" onClose={onClose}>
      <div class="stack">
        <h2 id="saved-title">Saved searches</h2>
        <SaveForm address={address} />
        <Problem problem={loading.problem} retry={() => void loading.reload()} />
        {saved === null && !loading.problem && <Skeleton lines={3} />}
        {saved?.length === 0 && (
          <p class="dim">Nothing is saved yet. Everyone who signs in to this account sees what you save.</p>
        )}
        {saved !== null && saved.length > 0 && (
          <ul aria-label="Saved searches">
            {saved.map((each) => (
              <Entry
                key={each.id}
                saved={each}
                address={address}
                onOpen={() => dialog.current?.close()}
                onDeleted={() => close.current?.focus()}
              />
            ))}
          </ul>
        )}
        <div>
          <button ref={close} type="button" class="button" onClick={() => dialog.current?.close()}>
            Close
          </button>
        </div>
      </div>
    </dialog>
  );
}

function SaveForm({ address }: { address: SavedDialogProps["address"] }) {
  const [last, setLast] = useState<string | null>(null);
  const saved = savedSearches.value?.find(({ id }) => id === last);
  const form = useSubmission(["name"], async (data) => {
    const made = await saveSearch({ name: textOf(data, "name"), ...stateOf(address) });
    keepSaved(made);
    setLast(made.id);
  });
  return (
    <form class="stack" onSubmit={form.onSubmit} noValidate aria-label="Save this search">
      <Field
        label="Name"
        name="name"
        maxLength={100}
        autocomplete="off"
        required
        first
        wrong={form.wrong("name")}
        hint={
          <>
            Saves <code>{address.query || "all events"}</code> · {rangeName(address.range, Date.now())}, with columns
            and view.
          </>
        }
      />
      <Problem problem={form.problem} />
      <div class="row">
        <button class="button primary" disabled={form.busy}>
          Save this search
        </button>
        <span role="status" class="dim">
          {saved && `${saved.name} is saved.`}
        </span>
      </div>
    </form>
  );
}

type Doing = "nothing" | "renaming" | "replacing" | "deleting";

interface EntryProps {
  saved: SavedSearch;
  /** The search of the page, which can replace the saved one. */
  address: SearchAddress;
  onOpen(): void;
  onDeleted(): void;
}

function Entry({ saved, address, onOpen, onDeleted }: EntryProps) {
  const [doing, setDoing] = useState<Doing>("nothing");
  const last = useRef<Doing>("nothing");
  const buttons = {
    renaming: useRef<HTMLButtonElement>(null),
    replacing: useRef<HTMLButtonElement>(null),
    deleting: useRef<HTMLButtonElement>(null),
  };
  const done = () => setDoing("nothing");
  // The focus returns to the button that was pressed.
  useLayoutEffect(() => {
    if (doing === "nothing" && last.current !== "nothing") buttons[last.current].current?.focus();
    last.current = doing;
  }, [doing]);
  return (
    <li>
      {doing === "renaming" ? (
        <RenameForm saved={saved} onDone={done} />
      ) : doing === "deleting" ? (
        <ConfirmForm
          label={`Delete ${saved.name}`}
          action="Delete the search"
          danger
          onDone={done}
          onConfirm={async () => {
            await deleteSaved(saved.id);
            dropSaved(saved.id);
            onDeleted();
          }}
        >
          Delete <strong>{saved.name}</strong> for everyone in this account? Its link stops working.
        </ConfirmForm>
      ) : doing === "replacing" ? (
        <ConfirmForm
          label={`Replace ${saved.name}`}
          action="Replace the search"
          onDone={done}
          onConfirm={async () => {
            keepSaved(await changeSaved(saved.id, stateOf(address)));
            done();
          }}
        >
          Replace <strong>{saved.name}</strong> by what the page shows now? Its link then opens that.
        </ConfirmForm>
      ) : (
        <>
          <Link href={writeAddress(addressOf(saved))} onClick={onOpen}>
            {saved.name}
          </Link>
          <code>{saved.query || "all events"}</code>
          <p class="faint">
            {rangeName({ from: saved.from, to: saved.to }, Date.now())} · saved {shortTime(saved.created_at)} by{" "}
            {actorText(saved.created_by)}
          </p>
          <div class="row">
            <CopyButton text={location.origin + saved.path} label={`Copy the link to ${saved.name}`}>
              Copy the link
            </CopyButton>
            <button
              ref={buttons.renaming}
              type="button"
              class="button small"
              aria-label={`Rename ${saved.name}`}
              onClick={() => setDoing("renaming")}
            >
              Rename
            </button>
            <button
              ref={buttons.replacing}
              type="button"
              class="button small"
              aria-label={`Replace ${saved.name}`}
              onClick={() => setDoing("replacing")}
            >
              Replace
            </button>
            <button
              ref={buttons.deleting}
              type="button"
              class="button small danger"
              aria-label={`Delete ${saved.name}`}
              onClick={() => setDoing("deleting")}
            >
              Delete
            </button>
          </div>
        </>
      )}
    </li>
  );
}

function RenameForm({ saved, onDone }: { saved: SavedSearch; onDone(): void }) {
  const form = useSubmission(["name"], async (data) => {
    keepSaved(await changeSaved(saved.id, { name: textOf(data, "name") }));
    onDone();
  });
  return (
    <form class="stack" onSubmit={form.onSubmit} noValidate aria-label={`Rename ${saved.name}`}>
      <Field label="New name" name="name" maxLength={100} defaultValue={saved.name} first wrong={form.wrong("name")} />
      <Problem problem={form.problem} />
      <div class="row">
        <button class="button small primary" disabled={form.busy}>
          Rename
        </button>
        <button type="button" class="button small" onClick={onDone}>
          Keep the name
        </button>
      </div>
    </form>
  );
}

interface ConfirmFormProps {
  label: string;
  action: string;
  danger?: boolean;
  children: ComponentChildren;
  onConfirm(): Promise<void>;
  onDone(): void;
}

/** A question in the place of its entry, with the focus on its answer. */
function ConfirmForm({ label, action, danger = false, children, onConfirm, onDone }: ConfirmFormProps) {
  const button = useRef<HTMLButtonElement>(null);
  const form = useSubmission([], onConfirm);
  useLayoutEffect(() => button.current?.focus(), []);
  return (
    <form class="stack" onSubmit={form.onSubmit} aria-label={label}>
      <p>{children}</p>
      <Problem problem={form.problem} />
      <div class="row">
        <button ref={button} class={`button small ${danger ? "danger" : "primary"}`} disabled={form.busy}>
          {action}
        </button>
        <button type="button" class="button small" onClick={onDone}>
          Keep it
        </button>
      </div>
    </form>
  );
}
