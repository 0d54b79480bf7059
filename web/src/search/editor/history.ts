import { effect } from "@preact/signals";
import { sessionState } from "../../session/session";

const STORED = "astralog.queries";
const MOST = 50;

/** The queries of this tab, newest first. They may name people, so they go with the tab and the session. */
export function pastQueries(): string[] {
  try {
    const stored: unknown = JSON.parse(sessionStorage.getItem(STORED) ?? "[]");
    return Array.isArray(stored) ? stored.filter((each) => typeof each === "string").slice(0, MOST) : [];
  } catch {
    return [];
  }
}

export function rememberQuery(query: string): void {
  if (query.trim() === "") return;
  const past = [query, ...pastQueries().filter((each) => each !== query)].slice(0, MOST);
  try {
    sessionStorage.setItem(STORED, JSON.stringify(past));
  } catch {
    // A browser that stores nothing has no history.
  }
}

effect(() => {
  if (sessionState.value !== "signed-out") return;
  try {
    sessionStorage.removeItem(STORED);
  } catch {
    // There is nothing stored.
  }
});
