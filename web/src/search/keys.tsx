import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

export interface KeyAction {
  /** As `KeyboardEvent.key` has it, with "Shift+" for keys that are no characters. */
  key: string;
  does: string;
  run(): void;
}

/** The actions of the page that is shown, for the command palette. */
export const pageActions = signal<() => readonly KeyAction[]>(() => []);

/**
 * Run an action when its key is pressed outside of fields, without Ctrl, Alt or ⌘.
 *
 * Keys may come faster than the page is drawn: actions read state when they run, not when they are drawn.
 */
export function useKeys(actions: readonly KeyAction[]): void {
  const current = useRef(actions);
  current.current = actions;
  useEffect(() => {
    const list = () => current.current;
    pageActions.value = list;
    return () => {
      if (pageActions.value === list) pageActions.value = () => [];
    };
  }, []);
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isField(event.target)) return;
      // A dialog has the keys also when nothing in it has the focus.
      if (document.querySelector("dialog[open]")) return;
      const pressed = event.shiftKey && event.key.length > 1 ? `Shift+${event.key}` : event.key;
      if (["Enter", " "].includes(pressed) && isControl(event.target)) return;
      if (pressed.startsWith("Arrow") && isScrolled(event.target)) return;
      const action = current.current.find((each) => each.key === pressed);
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

/** What arrow keys scroll by themselves; of the lines they move the choice. */
function isScrolled(target: EventTarget | null): boolean {
  return target instanceof Element && target.matches("[tabindex='0']:not([role=listbox])");
}

/** What Enter and the space bar work on by themselves. */
function isControl(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("button, a, summary, [role=group]") !== null;
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
