import { describe, expect, it } from "vitest";
import { conditionsOf, fieldText } from "./person";

describe("the preview of an erasure", () => {
  it("looks for the value in the message", () => {
    expect(conditionsOf({ field: "message", value: "bob@example.com" })).toEqual([
      { field: "message", op: "contains", value: "bob@example.com" },
    ]);
  });

  it("looks for a number as text and as a number, as the erasure does", () => {
    expect(conditionsOf({ field: "metadata.user.id", value: "42" })[0]!.value).toEqual(["42", 42]);
    expect(conditionsOf({ field: "metadata.user.id", value: "007" })[0]!.value).toEqual(["007"]);
    expect(conditionsOf({ field: "metadata.email", value: "bob@example.com" })[0]!.value).toEqual(["bob@example.com"]);
  });

  it("names the field as a query does", () => {
    expect(fieldText("metadata.email")).toBe("@email equals");
    expect(fieldText("message")).toBe("the message contains");
  });
});
