import { render } from "preact";
import { act } from "preact/test-utils";
import { beforeEach, expect, it, vi } from "vitest";
import { readAddress } from "../search/address";
import { useSavedDialog } from "./open";

vi.mock("./dialog", () => {
  throw new TypeError("Failed to fetch dynamically imported module");
});

const page = document.createElement("div");

function TestPage() {
  const saved = useSavedDialog(readAddress(""));
  return (
    <>
      <button onClick={saved.show}>Saved</button>
      {saved.dialog}
    </>
  );
}

beforeEach(() => {
  render(null, page);
  document.body.replaceChildren(page);
  render(<TestPage />, page);
});

it("says that the code of the dialog cannot be loaded, and closes", async () => {
  await act(async () => page.querySelector("button")!.click());
  await vi.waitFor(() => expect(page.querySelector("[role=alert]")).not.toBeNull());
  const dialog = page.querySelector("dialog")!;
  expect(dialog.open).toBe(true);
  expect(dialog.textContent).toContain("cannot be loaded");
  await act(async () => dialog.close());
  expect(page.querySelector("dialog")).toBeNull();
});
