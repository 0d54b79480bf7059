import { render } from "preact";
import { describe, expect, it } from "vitest";
import { Marked } from "./marked";
import { pieces, visibleJson, withoutColours } from "./pieces";

const hits = (text: string, words: string[]) =>
  pieces(text, words)
    .filter((piece) => piece.kind === "hit")
    .map((piece) => piece.text);
const styles = (text: string) => pieces(text, []).map(({ text: part, style }) => [part, style]);

describe("hits", () => {
  it("are marked in any case, and the rest is kept as it is", () => {
    expect(pieces("Declined by bank, declined", ["declined"])).toEqual([
      { text: "Declined", kind: "hit", style: "" },
      { text: " by bank, ", kind: "text", style: "" },
      { text: "declined", kind: "hit", style: "" },
    ]);
  });

  it("are literal", () => {
    expect(hits("a.c abc", ["a.c"])).toEqual(["a.c"]);
    expect(hits("x(", ["("])).toEqual(["("]);
  });

  it("are found across colours", () => {
    expect(hits("\u001b[31mtimed\u001b[0m out", ["timed out"])).toEqual(["timed", " out"]);
  });
});

describe("colours", () => {
  it.each([
    [
      "\u001b[31mred\u001b[0m plain",
      [
        ["red", "ansi-red"],
        [" plain", ""],
      ],
    ],
    [
      "\u001b[1;92mok\u001b[22mstill",
      [
        ["ok", "ansi-green ansi-bold"],
        ["still", "ansi-green"],
      ],
    ],
    [
      "\u001b[38;5;196ma\u001b[39mb",
      [
        ["a", "ansi-red"],
        ["b", ""],
      ],
    ],
    ["\u001b[38;2;10;20;250ma", [["a", "ansi-blue"]]],
    ["\u001b[48;5;21;33ma", [["a", "ansi-yellow"]]],
    ["\u001b[mplain", [["plain", ""]]],
  ])("of %j are class names", (text, expected) => {
    expect(styles(text)).toEqual(expected);
  });

  it("of a hostile message are few, and its text is whole", () => {
    const text = Array.from({ length: 5000 }, (_, index) => `\u001b[3${index % 8}m${index % 10}`).join("");
    const found = pieces(text, []);
    expect(found.length).toBeLessThan(500);
    expect(found.map((piece) => piece.text).join("")).toBe(withoutColours(text));
  });

  it("are all: other sequences are drawn and have no effect", () => {
    expect(styles("a\u001b[2Jb\u001b]0;title\u0007c")).toEqual([["a·[2Jb·]0;title·c", ""]]);
  });
});

it.each([
  ["<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"],
  ["\u202Eevil", "U+202Eevil"],
  ["a\u200Bb", "aU+200Bb"],
  ["a\u200Fb\u061Cc\u00ADd", "aU+200FbU+061CcU+00ADd"],
  ["ad\u200Cmin\u200D", "adU+200CminU+200D"],
  ["می\u200Cخواهم", "می\u200Cخواهم"],
  ["tag\u{E0041}", "tagU+E0041"],
  ["👩‍👧 ok", "👩‍👧 ok"],
  ["a\r\n\tb\u0000", "a·\n\tb·"],
])("shows %j as text", (text, shown) => {
  const page = document.createElement("p");
  render(<Marked text={text} words={["img", "evil"]} />, page);
  expect(page.textContent).toBe(shown);
  expect(page.querySelector("img")).toBeNull();
});

it("writes characters without a shape as escapes of the same JSON", () => {
  const text = 'a\u202Eb\u200B "\u0007" \u0085 \u{E0041} é 👩‍👧';
  const shown = visibleJson(text);
  expect(shown).toBe('"a\\u202eb\\u200b \\"\\u0007\\" \\u0085 \\udb40\\udc41 é 👩‍👧"');
  expect(JSON.parse(shown)).toBe(text);
});
