import { beforeEach, describe, expect, it } from "vitest";
import type { ListedAnnouncement } from "../api/schema";
import { markAllRead, notices, unreadCount } from "./unread";

function notice(at: string): ListedAnnouncement {
  return { id: at, at, kind: "service", title: "t", text: "x", effective_on: null };
}

beforeEach(() => {
  notices.value = null;
});

describe("notices", () => {
  it("are unread until they are marked, and newer ones are unread again", () => {
    expect(unreadCount.value).toBe(0);
    notices.value = [notice("2026-11-02T00:00:00Z"), notice("2026-11-01T00:00:00Z")];
    expect(unreadCount.value).toBe(2);
    markAllRead();
    expect(unreadCount.value).toBe(0);
    expect(localStorage.getItem("astralog.notices-read")).toBe("2026-11-02T00:00:00Z");
    notices.value = [notice("2026-11-03T00:00:00Z"), ...notices.value!];
    expect(unreadCount.value).toBe(1);
  });
});
