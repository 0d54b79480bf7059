import type { SearchAddress } from "../search/address";
import type { SavedSearch } from "./api";

type SavedState = Pick<SavedSearch, "query" | "from" | "to" | "view" | "columns" | "compare" | "wrap">;

/** What of the search page's address is saved: all but the open event. */
export function stateOf(address: SearchAddress): SavedState {
  const { query, range, view, columns, compare, wrap } = address;
  return { query, from: range.from, to: range.to, view, columns: [...columns], compare, wrap };
}

/** The address of the search page that shows a saved search. */
export function addressOf(saved: SavedState): SearchAddress {
  const { query, from, to, view, columns, compare, wrap } = saved;
  return { query, range: { from, to }, view, columns, compare, wrap, event: null, tab: "event" };
}
