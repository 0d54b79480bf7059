import type { IconName } from "./icons";

/** The pages of the rail, in its order; the last one stands apart. */
export const PLACES: readonly { path: string; name: string; icon: IconName }[] = [
  { path: "/start", name: "Get started", icon: "start" },
  { path: "/search", name: "Search", icon: "search" },
  { path: "/live", name: "Live", icon: "live" },
  { path: "/uploads", name: "Uploads", icon: "uploads" },
  { path: "/billing", name: "Usage", icon: "usage" },
  { path: "/privacy", name: "Privacy", icon: "privacy" },
  { path: "/keys", name: "Keys", icon: "keys" },
  { path: "/notices", name: "Notices", icon: "notices" },
  { path: "/settings", name: "Settings", icon: "settings" },
];
