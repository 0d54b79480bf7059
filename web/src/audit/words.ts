/** "key.created" as "Key created"; names of the API stay recognisable. */
export function actionText(action: string): string {
  const words = action.replace(/[._]/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const OTHERS: Record<string, string> = {
  stripe: "Stripe",
  calendar: "a date that came",
  eraser: "an erasure",
};

const KINDS: Record<string, string> = {
  key: "key",
  person: "a person",
  unsubscribe_link: "the link in a mail",
  complaint: "a mail reported as spam",
};

/** Who made the change (docs/account.md#read-the-audit-trail), with the id of a key. */
export function actorText(actor: string): string {
  const [kind = "", id = ""] = actor.split(":", 2);
  if (kind === "key") return `key ${id}`;
  return OTHERS[actor] ?? KINDS[kind] ?? actor;
}
