/** Whom an erasure is about: rows whose message contains the value, or whose metadata has it under a key. */
export interface Person {
  /** "message" or "metadata.<key>" */
  field: string;
  value: string;
}

interface Condition {
  field: string;
  op: "contains" | "in";
  value: string | (string | number)[];
}

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/** The conditions of a search for the same rows (docs/privacy.md: the value 7 matches the text "7" as well). */
export function conditionsOf({ field, value }: Person): Condition[] {
  if (field === "message") return [{ field, op: "contains", value }];
  return [{ field, op: "in", value: NUMBER.test(value) ? [value, Number(value)] : [value] }];
}

/** The erasure's field in words. */
export function fieldText(field: string): string {
  return field === "message" ? "the message contains" : `${field.replace(/^metadata\./, "@")} equals`;
}
