import type { FunctionComponent } from "preact";
import { useState } from "preact/hooks";
import type { SearchAddress } from "../search/address";

export interface SavedDialogProps {
  address: SearchAddress;
  onClose(): void;
}

/** The dialog of saved searches while it is open, and what opens it; its code is loaded at the first time. */
export function useSavedDialog(address: SearchAddress) {
  const [Shown, setShown] = useState<FunctionComponent<SavedDialogProps> | null>(null);
  const [open, setOpen] = useState(false);
  return {
    show: () => {
      setOpen(true);
      void import("./dialog").then((module) => setShown(() => module.SavedDialog));
    },
    dialog: open && Shown ? <Shown address={address} onClose={() => setOpen(false)} /> : null,
  };
}
