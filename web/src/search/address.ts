import { useMemo } from "preact/hooks";
import { useLocation, useSearch } from "wouter-preact";
import { DEFAULT_RANGE, type TimeRange } from "./range";

/** What the address says: everything that a shared link shows again. */
export interface SearchAddress {
  query: string;
  range: TimeRange;
}

export function readAddress(search: string): SearchAddress {
  const parameters = new URLSearchParams(search);
  return {
    query: parameters.get("q") ?? "",
    range: { from: parameters.get("from") ?? DEFAULT_RANGE.from, to: parameters.get("to") },
  };
}

export function writeAddress({ query, range }: SearchAddress): string {
  const parameters = new URLSearchParams();
  if (query) parameters.set("q", query);
  if (range.from !== DEFAULT_RANGE.from || range.to !== null) parameters.set("from", range.from);
  if (range.to !== null) parameters.set("to", range.to);
  const text = parameters.toString();
  return text ? `/search?${text}` : "/search";
}

/** The address, and how to go to another one; back and forward go through the searches. */
export function useAddress(): [SearchAddress, (to: Partial<SearchAddress>) => void] {
  const search = useSearch();
  const [, navigate] = useLocation();
  const address = useMemo(() => readAddress(search), [search]);
  return [address, (to) => navigate(writeAddress({ ...address, ...to }))];
}
