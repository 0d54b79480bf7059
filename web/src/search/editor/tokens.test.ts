import { describe, expect, it } from "vitest";
import { tokensOf, type TokenKind } from "./tokens";
import vectors from "./vectors.json";

/** As the vectors have them: without punctuation, values of any type as text, ranges in characters. */
function lexicalForms(query: string): [string, number, number][] {
  const characters = (units: number) => [...query.slice(0, units)].length;
  const plain = (kind: TokenKind) => (kind === "number" || kind === "constant" ? "text" : kind);
  return tokensOf(query)
    .filter((token) => token.kind !== "punctuation")
    .map(({ kind, start, end }) => [plain(kind), characters(start), characters(end)]);
}

describe("the colours of a query follow the server's scanner", () => {
  it.each(vectors)("$query", ({ query, tokens }) => {
    expect(lexicalForms(query)).toEqual(tokens);
  });
});

it("are those of values, too", () => {
  const kinds = tokensOf("a:1 b:-2.5 c:true d:word e:500x f:null").map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind !== "field" && kind !== "punctuation")).toEqual([
    "number",
    "number",
    "constant",
    "text",
    "text",
    "constant",
  ]);
});

it.each(['"open', "a:(b", "`open", "x:[1", "| | stats count(", "a:>", "(((", ")", "a:(b|c)", ":", "@", "-", "x:["])(
  "an unfinished query %j is read to its end, once",
  (query) => {
    let last = 0;
    for (const { start, end } of tokensOf(query)) {
      expect(start).toBeGreaterThanOrEqual(last);
      expect(end).toBeGreaterThan(start);
      last = end;
    }
    expect(last).toBe(query.length);
  },
);

it("a long query is read in little time", () => {
  const began = performance.now();
  tokensOf(`${'"a '.repeat(2000)}${"(".repeat(2000)}`);
  tokensOf("*a ".repeat(2700));
  expect(performance.now() - began).toBeLessThan(500);
});
