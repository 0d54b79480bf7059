import { render } from "preact";
import { expect, it } from "vitest";
import { Marked, segments } from "./marked";

it("marks every hit in any case, and keeps the rest as it is", () => {
  expect(segments("Declined by bank, declined", ["declined"])).toEqual([
    { text: "Declined", hit: true },
    { text: " by bank, ", hit: false },
    { text: "declined", hit: true },
  ]);
});

it("takes words literally", () => {
  expect(segments("a.c abc", ["a.c"]).filter((segment) => segment.hit)).toEqual([{ text: "a.c", hit: true }]);
  expect(segments("x(", ["("])).toHaveLength(2);
});

it.each(["<img src=x onerror=alert(1)>", "\u202Eevil", "\u001b[31mred", "a\u200Bb"])("shows %j as text", (text) => {
  const page = document.createElement("p");
  render(<Marked text={text} words={["img", "evil"]} />, page);
  expect(page.textContent).toBe(text);
  expect(page.querySelector("img")).toBeNull();
});
