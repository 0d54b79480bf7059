import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Link, useLocation } from "wouter-preact";
import { Icon, type IconName } from "./icons";
import "./frame.css";

const PLACES: readonly { path: string; name: string; icon: IconName }[] = [
  { path: "/start", name: "Get started", icon: "start" },
  { path: "/search", name: "Search", icon: "search" },
  { path: "/keys", name: "Keys", icon: "keys" },
  { path: "/settings", name: "Settings", icon: "settings" },
];

/** The rail and a page beside it; under 900 px the rail is at the bottom. */
export function Frame({ children }: { children: ComponentChildren }) {
  const [path] = useLocation();
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
            aria-label={place.name}
            title={place.name}
          >
            <Icon name={place.icon} />
          </Link>
        ))}
      </nav>
      <main id="content" tabIndex={-1}>
        {children}
      </main>
      <OfflineBar />
    </div>
  );
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

function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · AstraLog`;
  }, [title]);
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
