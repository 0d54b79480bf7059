import { describe, expect, it } from "vitest";
import type { ShownField } from "./event";
import { condition, conditionsOf, hasPipes, markedWords, narrowed, pointedAt, without } from "./query-text";

const field = (name: string, text: string, kind: ShownField["kind"] = "text"): ShownField => ({ name, kind, text });

describe("a condition", () => {
  it.each([
    [field("service", "checkout"), "service:checkout"],
    [field("service", "the shop"), 'service:"the shop"'],
    [field("@path", '/a "b" \\c'), '@path:"/a \\"b\\" \\\\c"'],
    [field("@order", "567831", "number"), "@order:567831"],
    [field("@order", "567831"), '@order:"567831"'],
    [field("@ok", "false", "constant"), "@ok:false"],
    [field("@ok", "false"), '@ok:"false"'],
    [field("@word", "OR"), '@word:"OR"'],
    [field("@tags", '["a","b"]', "list"), "@tags:*"],
  ])("on %o is written with its type", (given, text) => {
    expect(condition(given)).toBe(text);
    expect(condition(given, true)).toBe(`-${text}`);
  });
});

describe("a narrowed query", () => {
  it.each([
    ["", "level:error", "level:error"],
    ["*", "level:error", "level:error"],
    ["level:error", "service:shop", "level:error service:shop"],
    ["level:error", "level:error", "level:error"],
    ["a -level:info", "level:info", "a level:info"],
    ["a level:info", "-level:info", "a -level:info"],
    ["a OR b", "level:info", "(a OR b) level:info"],
    ["(a OR b) c", "level:info", "(a OR b) c level:info"],
    ['"a OR b"', "level:info", '"a OR b" level:info'],
    ["a | stats count()", "level:info", "a level:info | stats count()"],
    ['"a | b" c', "level:info", '"a | b" c level:info'],
    ['@`a | b`:1 "x', "level:info", '@`a | b`:1 "x level:info'],
  ])("%s with %s is %s", (query, filter, expected) => {
    expect(narrowed(query, filter)).toBe(expected);
  });
});

it("marks the words and phrases that a line must contain, and no others", () => {
  expect(markedWords('level:error "timed \\"out" -debug refused (a OR b) x path:/health* | top 5 service')).toEqual([
    'timed "out',
    "refused",
  ]);
});

describe("a query without a condition", () => {
  it.each([
    ["level:error service:shop", "service:shop", "level:error"],
    ["service:shop", "service:shop", ""],
    ['"a b" service:shop | stats count()', "service:shop", '"a b" | stats count()'],
    ["service:shop OR b", "service:shop", "service:shop OR b"],
    ["(service:shop) b", "service:shop", "(service:shop) b"],
  ])("%s without %s is %s", (query, filter, expected) => {
    expect(without(query, filter)).toBe(expected);
  });

  it("is searched again to say what would match: one for each condition", () => {
    expect(conditionsOf('level:error -@test:true "timed out" AND x')).toEqual([
      "level:error",
      "-@test:true",
      '"timed out"',
      "x",
    ]);
    expect(conditionsOf("a OR b")).toEqual([]);
  });
});

it("knows a pipe from a bar in a text", () => {
  expect([hasPipes("a | top x"), hasPipes('"a | b"'), hasPipes("(a | b)")]).toEqual([true, false, false]);
});

it.each([
  ["level:errr", 7, "level:errr\n      ^"],
  ["a\n| stats n by x\n| sort y", 25, "a\n| stats n by x\n| sort y\n       ^"],
  ["a |\nstatz x\n| limit 5", 5, "a |\nstatz x\n^\n| limit 5"],
  ["😀 level:errr", 9, "😀 level:errr\n        ^"],
])("a caret stands below the column of %j", (query, column, pointed) => {
  expect(pointedAt(query, column)).toBe(pointed);
});
