import type { FunctionComponent } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { NotLoaded } from "../app/lazy";
import type { SearchAddress } from "../search/address";
import type { SavedDialogProps } from "./dialog";

/** The dialog of saved searches while it is open, and what opens it; its code is loaded at the first time. */
export function useSavedDialog(address: SearchAddress) {
  const [Shown, setShown] = useState<FunctionComponent<SavedDialogProps> | null>(null);
  const [failed, setFailed] = useState(false);
  const [open, setOpen] = useState(false);
  const close = () => setOpen(false);
  return {
    show: () => {
      setOpen(true);
      import("./dialog").then(
        (module) => setShown(() => module.SavedDialog),
        () => setFailed(true),
      );
    },
    dialog: !open ? null : Shown ? (
      <Shown address={address} onClose={close} />
    ) : (
      failed && <NotLoadedDialog onClose={close} />
    ),
  };
}

function NotLoadedDialog({ onClose }: { onClose(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="saved" aria-label="Saved searches" onClose={onClose}>
      <div class="stack">
        <NotLoaded />
        <div>
          <button type="button" class="button" onClick={() => dialog.current?.close()}>
            Close
          </button>
        </div>
      </div>
    </dialog>
  );
}
