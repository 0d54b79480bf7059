import { describe, expect, it } from "vitest";
import { expanded, firstLine } from "./first-line";

describe("a message of several lines", () => {
  it.each([
    ["one", "one", 0],
    ["one\ntwo\r\nthree", "one", 2],
    ["\n\n  \nfirst\nsecond\n\n", "first", 1],
    ["\u001b[31m\u001b[0m\nred", "red", 0],
    ["\n \n", "", 0],
    ["", "", 0],
  ])("%j begins with %j and %d more", (message, first, more) => {
    expect(firstLine(message)).toEqual({ first, more });
  });

  it("is expanded to its end, or says that there is more", () => {
    expect(expanded("a\r\nb\n")).toEqual({ text: "a\nb", isAll: true });
    expect(expanded("x\n".repeat(1000)).isAll).toBe(false);
    expect(expanded("x".repeat(1_000_000)).text).toHaveLength(20_000);
  });

  it("of a megabyte is read in little time", () => {
    const began = performance.now();
    expect(firstLine("x".repeat(1_000_000)).first).toHaveLength(2000);
    expect(firstLine("x\n".repeat(500_000)).more).toBe(499_999);
    expect(performance.now() - began).toBeLessThan(500);
  });
});
