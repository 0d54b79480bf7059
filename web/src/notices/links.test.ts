import { describe, expect, it } from "vitest";
import { textWithLinks } from "./links";

describe("the text of a notice", () => {
  it("has its addresses as links, without the punctuation around them", () => {
    const parts = textWithLinks("Update the card (https://docs.example/billing.md#portal). Thanks");
    expect(parts.map((each) => each.href)).toEqual([null, "https://docs.example/billing.md#portal", null]);
    expect(parts.map((each) => each.text).join("")).toContain("#portal). Thanks");
  });

  it("makes no link of anything but the web", () => {
    expect(textWithLinks("javascript:alert(1) <a href=x>").map((each) => each.href)).toEqual([null]);
  });
});
