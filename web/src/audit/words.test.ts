import { describe, expect, it } from "vitest";
import { actionText, actorText } from "./words";

describe("an entry of the audit trail", () => {
  it("says what happened in words", () => {
    expect(actionText("billing.caps_changed")).toBe("Billing caps changed");
  });

  it("says who did it, with the id of a key and no id of a person", () => {
    expect(["key:key_1", "person:p-1", "stripe", "eraser", "complaint:p-1", "new_kind"].map(actorText)).toEqual([
      "key key_1",
      "a person",
      "Stripe",
      "an erasure",
      "a mail reported as spam",
      "new_kind",
    ]);
  });
});
