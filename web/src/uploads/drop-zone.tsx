import { useRef } from "preact/hooks";
import { Icon } from "../app/icons";

/** Where files are dropped (the whole page takes them: `useDrops`), or chosen by its button. */
export function DropZone({ over, onFiles }: { over: boolean; onFiles(files: File[]): void }) {
  const input = useRef<HTMLInputElement>(null);
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
