import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../app/icons";

/** Files dropped anywhere on the page, or chosen by its button. */
export function DropZone({ onFiles }: { onFiles(files: File[]): void }) {
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  useDrops(onFiles, setOver);
  return (
    <div class={over ? "drop-zone over" : "drop-zone"}>
      <Icon name="uploads" />
      <p>
        <strong class="by-mouse">Drop files here</strong>
        <strong class="by-hand">Add log files</strong>
        <span class="dim">
          <span class="by-mouse"> or anywhere on this page</span>. The format is recognised by the content.
        </span>
      </p>
      <button type="button" class="button primary" onClick={() => input.current?.click()}>
        Choose files
      </button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label="Files"
        onChange={(event) => {
          onFiles([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = ""; // the same file can be chosen again
        }}
      />
    </div>
  );
}

function useDrops(onFiles: (files: File[]) => void, setOver: (over: boolean) => void): void {
  const handle = useRef(onFiles);
  handle.current = onFiles;
  useEffect(() => {
    const over = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false);
    };
    const drop = (event: DragEvent) => {
      setOver(false);
      if (!event.dataTransfer?.files.length) return;
      event.preventDefault();
      handle.current([...event.dataTransfer.files]);
    };
    addEventListener("dragover", over);
    addEventListener("dragleave", leave);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", over);
      removeEventListener("dragleave", leave);
      removeEventListener("drop", drop);
    };
  }, [setOver]);
}
