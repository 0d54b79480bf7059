import { expect, it } from "vitest";
import { readAddress, writeAddress } from "../search/address";
import { addressOf, stateOf } from "./state";

it.each([
  "/search",
  "/search?q=level%3Aerror&from=-24h",
  "/search?from=2026-11-20T13%3A30%3A00.000Z&to=2026-11-20T14%3A30%3A00.000Z&view=patterns&compare=1",
  "/search?q=a+%7C+stats+count%28%29&column=order&column=user.id&wrap=1",
])("what is saved of %s opens it again", (address) => {
  const shown = readAddress(address.slice("/search".length));
  expect(writeAddress(addressOf(stateOf(shown)))).toBe(address);
});

it("leaves out the event that is open", () => {
  const shown = readAddress("?q=declined&event=06b2-4");
  expect(writeAddress(addressOf(stateOf(shown)))).toBe("/search?q=declined");
});
