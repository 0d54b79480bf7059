import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { useLocation } from "wouter-preact";
import { PLACES } from "../app/places";
import { chooseTheme } from "../app/theme";
import { addressOf } from "../saved/state";
import { loadSaved, savedSearches } from "../saved/store";
import { writeAddress } from "../search/address";
import { pastQueries } from "../search/editor/history";
import { pageActions } from "../search/keys";
import { matching } from "./match";
import "./palette.css";

const MOST = 50;

interface Command {
  name: string;
  key?: string;
  run(): void;
}

/** Every action by its name: those of the page, the pages, the saved searches, the last queries, the theme. */
export function PaletteDialog({ onClose }: { onClose(): void }) {
  const [, navigate] = useLocation();
  const [wanted, setWanted] = useState("");
  const [chosen, setChosen] = useState(0);
  const dialog = useRef<HTMLDialogElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const saved = savedSearches.value;
  const commands = useMemo(() => allCommands(navigate), [navigate, saved]);
  const found = matching(wanted, commands, ({ name }) => name).slice(0, MOST);
  useLayoutEffect(() => dialog.current!.showModal(), []);
  // Without an answer the palette has the other commands.
  useEffect(() => void loadSaved().catch(() => undefined), []);
  useLayoutEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [chosen]);

  function run(command: Command | undefined): void {
    if (!command) return;
    dialog.current!.close();
    command.run();
  }

  function press(event: KeyboardEvent): void {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by !== undefined) setChosen((last) => (last + by + found.length) % Math.max(found.length, 1));
    else if (event.key === "Enter") run(found[chosen]);
    else return;
    event.preventDefault();
  }

  return (
    <dialog ref={dialog} class="palette" aria-label="Commands" onClose={onClose}>
      <input
        class="input"
        role="combobox"
        aria-label="Command"
        aria-expanded="true"
        aria-controls="commands"
        aria-activedescendant={`command-${chosen}`}
        placeholder="What do you want to do?"
        autocomplete="off"
        value={wanted}
        onInput={(event) => {
          setWanted(event.currentTarget.value);
          setChosen(0);
        }}
        onKeyDown={press}
      />
      <ul id="commands" ref={list} role="listbox" aria-label="Commands">
        {found.map((command, index) => (
          <li
            key={index}
            id={`command-${index}`}
            role="option"
            aria-selected={index === chosen}
            onClick={() => run(command)}
          >
            <span>{command.name}</span>
            {command.key && <kbd>{command.key}</kbd>}
          </li>
        ))}
      </ul>
      {found.length === 0 && <p class="dim">No command has this name.</p>}
    </dialog>
  );
}

function allCommands(navigate: (path: string) => void): Command[] {
  return [
    ...pageActions.value().map(({ key, does, run }) => ({ name: does[0]!.toUpperCase() + does.slice(1), key, run })),
    ...PLACES.map(({ path, name }) => ({ name: `Go to ${name}`, run: () => navigate(path) })),
    ...(savedSearches.value ?? []).map((saved) => ({
      name: `Open ${saved.name}`,
      run: () => navigate(writeAddress(addressOf(saved))),
    })),
    ...pastQueries().map((query) => ({ name: `Search ${query}`, run: () => navigate(writeAddress({ query })) })),
    ...(["light", "dark", "system"] as const).map((theme) => ({
      name: `Theme: ${theme}`,
      run: () => chooseTheme(theme),
    })),
  ];
}
