import { computed, signal } from "@preact/signals";
import { call } from "../api/client";
import type { AnnouncementList, ListedAnnouncement } from "../api/schema";

const STORED = "astralog.notices-read";

export const notices = signal<ListedAnnouncement[] | null>(null);
/** The time of the newest notice that was read in this browser; empty before the first. */
const readUntil = signal(stored());

export const unreadCount = computed(() => notices.value?.filter(isUnread).length ?? 0);

export function isUnread(notice: ListedAnnouncement): boolean {
  return notice.at > readUntil.value;
}

/** @throws ApiProblem, OfflineProblem */
export async function loadNotices(signal?: AbortSignal): Promise<void> {
  const page = await call<AnnouncementList>("GET", "/v1/announcements", signal ? { signal } : {});
  notices.value = page.announcements;
}

/** Everything that is loaded now counts as read. */
export function markAllRead(): void {
  const newest = notices.value?.reduce((last, each) => (each.at > last ? each.at : last), readUntil.value);
  if (!newest) return;
  readUntil.value = newest;
  try {
    localStorage.setItem(STORED, newest);
  } catch {
    // A browser that stores nothing shows them as unread at the next visit.
  }
}

function stored(): string {
  try {
    return localStorage.getItem(STORED) ?? "";
  } catch {
    return "";
  }
}
