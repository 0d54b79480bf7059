import { useEffect, useMemo, useState } from "preact/hooks";
import { Problem } from "../controls/problem";
import { Skeleton } from "../controls/skeleton";
import { eventContext, SCOPES, type ContextPage, type Scope } from "./api";
import type { LogEvent } from "./event";
import { firstLine } from "./first-line";
import { Loaded } from "./loaded";
import { Marked } from "./marked";
import { lineTime } from "./range";

const FIRST = 10;
const MOST = 500;

/** The events before and after one: of its service, of the place that it came from, or all. */
export function ContextTab({
  event,
  words,
  onOpen,
}: {
  event: LogEvent;
  words: readonly string[];
  onOpen(event: LogEvent): void;
}) {
  const [scope, setScope] = useState<Scope>("service");
  const [each, setEach] = useState(FIRST);
  const loaded = useMemo(() => new Loaded<ContextPage>(), []);
  const { id } = event;
  useEffect(() => {
    if (id) void loaded.load((signal) => eventContext(id, scope, each, signal));
  }, [loaded, id, scope, each]);
  useEffect(() => () => loaded.clear(), [loaded]);

  const page = loaded.value.value;
  if (!id) return <p class="faint">This event was stored before events had an id, so its context cannot be found.</p>;
  return (
    <>
      <div class="segments" role="group" aria-label="Which events">
        {(Object.keys(SCOPES) as Scope[]).map((name) => (
          <button key={name} type="button" aria-pressed={scope === name} onClick={() => setScope(name)}>
            {SCOPES[name]}
          </button>
        ))}
      </div>
      <Problem problem={loaded.problem.value} />
      {page === null && loaded.loading.value && <Skeleton lines={8} />}
      {page && (
        <div class={loaded.loading.value ? "context stale" : "context"}>
          {page.more_before && each < MOST && <More onMore={() => setEach(each * 5)}>Earlier events</More>}
          {[...page.before, page.event, ...page.after].map((line, index) => (
            <button
              key={line.id ?? index}
              type="button"
              class={line.id === id ? `context-line me ${line.level}` : `context-line ${line.level}`}
              aria-current={line.id === id ? "true" : undefined}
              onClick={() => onOpen(line)}
            >
              <time>{lineTime(line.timestamp, false)}</time>{" "}
              {scope === "all" && <span class="dim">{line.service} </span>}
              <Marked text={firstLine(line.message).first} words={words} />
            </button>
          ))}
          {page.more_after && each < MOST && <More onMore={() => setEach(each * 5)}>Later events</More>}
        </div>
      )}
    </>
  );
}

function More({ children, onMore }: { children: string; onMore(): void }) {
  return (
    <button type="button" class="button plain small" onClick={onMore}>
      {children}
    </button>
  );
}
