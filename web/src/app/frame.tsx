import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Link, useLocation } from "wouter-preact";
import { loadNotices, unreadCount } from "../notices/unread";
import { Palette } from "../palette/open";
import { Icon } from "./icons";
import { PLACES } from "./places";
import { useTitle } from "./title";
import "./frame.css";

const NOTICES = "/notices";

/** The rail and a page beside it; under 900 px the rail is at the bottom. */
export function Frame({ children }: { children: ComponentChildren }) {
  const [path] = useLocation();
  useEffect(() => void loadNotices().catch(() => undefined), []);
  return (
    <div class="frame">
      <a class="skip button" href="#content">
        Skip to the content
      </a>
      <nav class="rail" aria-label="Main">
        <img class="mark" src="/icon.svg" alt="AstraLog" />
        {PLACES.map((place, index) => (
          <Link
            key={place.path}
            href={place.path}
            class={index === PLACES.length - 1 ? "last" : ""}
            aria-current={path.startsWith(place.path) ? "page" : undefined}
            aria-label={nameOf(place)}
            title={place.name}
          >
            <Icon name={place.icon} />
            {place.path === NOTICES && unreadCount.value > 0 && <i class="unread" aria-hidden="true" />}
          </Link>
        ))}
      </nav>
      <main id="content" tabIndex={-1}>
        {children}
      </main>
      <OfflineBar />
      <Palette />
    </div>
  );
}

/** The place's name, with the number of unread notices. */
function nameOf({ path, name }: { path: string; name: string }): string {
  return path === NOTICES && unreadCount.value > 0 ? `${name}, ${unreadCount.value} unread` : name;
}

/** A page of forms and tables: title, one sentence, content of at most 960 px. */
export function Page(props: { title: string; about?: ComponentChildren; children: ComponentChildren }) {
  useTitle(props.title);
  return (
    <div class="page">
      <header>
        <h1>{props.title}</h1>
        {props.about && <p class="dim">{props.about}</p>}
      </header>
      {props.children}
    </div>
  );
}

/** A page for people who are not signed in. */
export function Entrance(props: { title: string; about?: ComponentChildren; children: ComponentChildren }) {
  useTitle(props.title);
  return (
    <main class="entrance">
      <div>
        <img class="mark" src="/icon.svg" alt="AstraLog" />
        <header class="stack">
          <h1>{props.title}</h1>
          {props.about && <p class="dim">{props.about}</p>}
        </header>
        {props.children}
      </div>
    </main>
  );
}

function OfflineBar() {
  const [online, setOnline] = useState(navigator.onLine);
  useEffect(() => {
    const look = () => setOnline(navigator.onLine);
    addEventListener("online", look);
    addEventListener("offline", look);
    return () => {
      removeEventListener("online", look);
      removeEventListener("offline", look);
    };
  }, []);
  return (
    <div class="offline" role="status" hidden={online}>
      You are offline. The page stays as it is, and continues when the connection is back.
    </div>
  );
}
