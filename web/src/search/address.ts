import { useMemo } from "preact/hooks";
import { useLocation, useSearch } from "wouter-preact";
import { DEFAULT_RANGE, type TimeRange } from "./range";
import { tabOf, type Tab } from "./tabs";

export type View = "lines" | "patterns";

/** What the address says: everything that a shared link shows again. */
export interface SearchAddress {
  query: string;
  range: TimeRange;
  view: View;
  /** Whether the range is compared with the one before it. */
  compare: boolean;
  /** Fields with a column of their own in the lines. */
  columns: readonly string[];
  wrap: boolean;
  /** The id of the event that is open. */
  event: string | null;
  /** The view of that event. */
  tab: Tab;
}

const MOST_COLUMNS = 8;

export function readAddress(search: string): SearchAddress {
  const parameters = new URLSearchParams(search);
  return {
    query: parameters.get("q") ?? "",
    range: { from: parameters.get("from") ?? DEFAULT_RANGE.from, to: parameters.get("to") },
    view: parameters.get("view") === "patterns" ? "patterns" : "lines",
    compare: parameters.has("compare"),
    columns: [...new Set(parameters.getAll("column"))].slice(0, MOST_COLUMNS),
    wrap: parameters.has("wrap"),
    event: parameters.get("event"),
    tab: tabOf(parameters.get("tab")),
  };
}

export function writeAddress(address: Partial<SearchAddress>): string {
  const { query, range = DEFAULT_RANGE, view, compare, columns = [], wrap, event, tab = "event" } = address;
  const parameters = new URLSearchParams();
  if (query) parameters.set("q", query);
  if (range.from !== DEFAULT_RANGE.from || range.to !== null) parameters.set("from", range.from);
  if (range.to !== null) parameters.set("to", range.to);
  if (view === "patterns") parameters.set("view", view);
  if (compare) parameters.set("compare", "1");
  for (const column of columns) parameters.append("column", column);
  if (wrap) parameters.set("wrap", "1");
  if (event) parameters.set("event", event);
  if (event && tab !== "event") parameters.set("tab", tab);
  const text = parameters.toString();
  return text ? `/search?${text}` : "/search";
}

export interface Going {
  /** Whether "back" skips what is shown now: for what changes how a search looks, not what it finds. */
  replace?: boolean;
}

export type Go = (to: Partial<SearchAddress>, going?: Going) => void;

/** The address, and how to go to another one; back and forward go through the searches. */
export function useAddress(): [SearchAddress, Go] {
  const search = useSearch();
  const [, navigate] = useLocation();
  const address = useMemo(() => readAddress(search), [search]);
  const go: Go = (to, { replace = false } = {}) => {
    const now = readAddress(location.search);
    const closes = "query" in to || "range" in to ? { event: null } : {};
    navigate(writeAddress({ ...now, ...closes, ...to }), { replace });
  };
  return [address, go];
}
