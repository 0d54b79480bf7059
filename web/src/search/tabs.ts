/** The views of an open event. */
export const TABS = { event: "Event", context: "Context", json: "JSON" } as const;
export type Tab = keyof typeof TABS;

/** The tab of an address; the first one for a name that no tab has. */
export function tabOf(name: string | null): Tab {
  return name !== null && Object.hasOwn(TABS, name) ? (name as Tab) : "event";
}
