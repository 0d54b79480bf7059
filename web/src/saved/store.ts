import { effect, signal } from "@preact/signals";
import { sessionState } from "../session/session";
import { listSaved, type SavedSearch } from "./api";

/** The saved searches of the account, by name; null until they are loaded. */
export const savedSearches = signal<readonly SavedSearch[] | null>(null);

// Another person may sign in in this tab: nothing of the last one stays.
effect(() => {
  if (sessionState.value === "signed-out") savedSearches.value = null;
});

/** @throws ApiProblem, OfflineProblem */
export async function loadSaved(): Promise<void> {
  const loaded = await listSaved();
  if (sessionState.value === "signed-in") savedSearches.value = loaded;
}

/** Show a search as it is after it was saved or changed. */
export function keepSaved(saved: SavedSearch): void {
  const others = (savedSearches.value ?? []).filter(({ id }) => id !== saved.id);
  savedSearches.value = [...others, saved].sort((a, b) => a.name.localeCompare(b.name));
}

export function dropSaved(id: string): void {
  savedSearches.value = (savedSearches.value ?? []).filter((each) => each.id !== id);
}
