import { expect, it } from "vitest";
import { matching, matchScore } from "./match";

const NAMES = ["Go to Settings", "Go to Search", "search again", "copy a link to the line"];

it.each([
  ["sea", "search again"],
  ["gse", "Go to Search"],
  ["settings", "Go to Settings"],
  ["copy link", "copy a link to the line"],
])("%s finds %s first", (wanted, name) => {
  expect(matching(wanted, NAMES, (each) => each)[0]).toBe(name);
});

it("leaves out what lacks a letter, and keeps all in order without a text", () => {
  expect(matchScore("xyz", "search")).toBeNull();
  expect(matching(" ", NAMES, (each) => each)).toEqual(NAMES);
});
