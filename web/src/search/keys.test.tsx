import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, it } from "vitest";
import { useKeys } from "./keys";

let pressed: string[] = [];
const root = document.createElement("div");

function Page() {
  useKeys(
    ["Escape", "s", " ", "Enter", "ArrowDown"].map((key) => ({ key, does: key, run: () => void pressed.push(key) })),
  );
  return null;
}

function press(key: string): boolean {
  return document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
}

beforeEach(() => {
  pressed = [];
  document.body.replaceChildren(root);
  act(() => render(<Page />, root));
});
afterEach(() => act(() => render(null, root)));

it("runs the action of a key", () => {
  expect(press("s")).toBe(false);
  expect(pressed).toEqual(["s"]);
});

it.each([
  ["a button", "<button>", " "],
  ["a button", "<button>", "Enter"],
  ["a scrolled text", '<div tabindex="0">', "ArrowDown"],
])("leaves to %s what it does by itself", (_, html, key) => {
  const focused = document.createElement("div");
  focused.innerHTML = html;
  document.body.append(focused);
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  expect([focused.firstElementChild!.dispatchEvent(event), pressed]).toEqual([true, []]);
});

it("has the arrow keys in the lines themselves", () => {
  const lines = document.createElement("div");
  lines.innerHTML = '<div tabindex="0" role="listbox">';
  document.body.append(lines);
  lines.firstElementChild!.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true }));
  expect(pressed).toEqual(["ArrowDown"]);
});

it("leaves all keys to an open dialog, also when nothing in it has the focus", () => {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("open", "");
  document.body.append(dialog);
  expect([press("Escape"), press("s")]).toEqual([true, true]);
  expect(pressed).toEqual([]);
  dialog.removeAttribute("open");
  press("s");
  expect(pressed).toEqual(["s"]);
});
