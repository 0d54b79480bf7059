import { useEffect, useState } from "preact/hooks";
import type { ListedAnnouncement } from "../api/schema";
import { Page } from "../app/frame";
import { Empty } from "../controls/empty";
import { dayText } from "../controls/format";
import { Loaded } from "../controls/loaded";
import { useResource } from "../controls/resource";
import { shortTime } from "../controls/time";
import { textWithLinks } from "./links";
import { isUnread, loadNotices, markAllRead, notices } from "./unread";
import "./notices.css";

export function NoticesPage() {
  const list = useResource(async (signal) => {
    await loadNotices(signal);
    return notices.value!;
  });
  return (
    <Page title="Notices" about="What happened to your account and to the service. The important ones are mailed too.">
      <Loaded resource={list} lines={6}>
        {(all) =>
          all.length === 0 ? (
            <Empty title="No notices yet">
              Payments, caps, a failing destination, downtime and changes of the terms are announced here.
            </Empty>
          ) : (
            <NoticeList all={all} />
          )
        }
      </Loaded>
    </Page>
  );
}

/** The marks are those of the moment when the page was opened. */
function NoticeList({ all }: { all: ListedAnnouncement[] }) {
  const [unread] = useState(() => new Set(all.filter(isUnread).map((each) => each.id)));
  useEffect(markAllRead, [all]);
  return (
    <ol class="notices">
      {all.map((each) => (
        <li key={each.id}>
          <div class="row">
            <h2>{each.title}</h2>
            {unread.has(each.id) && <span class="new">new</span>}
          </div>
          <p class="faint number">
            <time dateTime={each.at}>{shortTime(each.at)}</time>
            {each.effective_on && ` · in effect from ${dayText(each.effective_on)}`}
          </p>
          <p class="text">
            {textWithLinks(each.text).map((part) =>
              part.href ? (
                <a key={part.at} href={part.href} rel="noreferrer" target="_blank">
                  {part.text}
                </a>
              ) : (
                part.text
              ),
            )}
          </p>
        </li>
      ))}
    </ol>
  );
}
