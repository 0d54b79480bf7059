import { useEffect, useState } from "preact/hooks";
import { PaletteDialog } from "./palette";

/**
 * ⌘K or Ctrl+K opens the command palette.
 *
 * Its code is part of the first load: keys that follow at once are the command's, not those of the page below.
 */
export function Palette() {
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.metaKey || event.ctrlKey) || event.altKey || event.shiftKey)
        return;
      event.preventDefault();
      setOpen(true);
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
  return open ? <PaletteDialog onClose={() => setOpen(false)} /> : null;
}
