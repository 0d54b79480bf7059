import { useEffect, useRef } from "preact/hooks";

export interface KeyAction {
  key: string;
  does: string;
  run(): void;
}

/**
 * Run an action when its key is pressed outside of fields, without Ctrl, Alt or ⌘.
 *
 * Keys may come faster than the page is drawn: actions read state when they run, not when they are drawn.
 */
export function useKeys(actions: readonly KeyAction[]): void {
  const current = useRef(actions);
  current.current = actions;
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isField(event.target)) return;
      const action = current.current.find((each) => each.key === event.key);
      if (!action) return;
      event.preventDefault();
      action.run();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
}

function isField(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("input, textarea, select, dialog, [contenteditable]") !== null;
}

export function KeyHelp({ actions, onClose }: { actions: readonly KeyAction[]; onClose(): void }) {
  return (
    <dialog
      ref={(element) => {
        if (element && !element.open) element.showModal();
      }}
      aria-label="Keys"
      onClose={onClose}
    >
      <h2>Keys</h2>
      <dl class="key-help">
        {actions.map(({ key, does }) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog">
        <button class="button">Close</button>
      </form>
    </dialog>
  );
}
