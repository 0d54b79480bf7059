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
const NEXT = 2;
const STAYS_MS = 300;

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
          <ContextLines page={page} words={words} withService={scope === "all"} onOpen={onOpen} />
          {page.more_after && each < MOST && <More onMore={() => setEach(each * 5)}>Later events</More>}
        </div>
      )}
    </>
  );
}

interface ContextLinesProps {
  page: ContextPage;
  words: readonly string[];
  withService: boolean;
  onOpen(event: LogEvent): void;
}

function ContextLines({ page, words, withService, onOpen }: ContextLinesProps) {
  const { id } = page.event;
  return (
    <>
      {[...page.before, page.event, ...page.after].map((line, index) => (
        <button
          key={line.id ?? index}
          type="button"
          class={line.id === id ? `context-line me ${line.level}` : `context-line ${line.level}`}
          aria-current={line.id === id ? "true" : undefined}
          onClick={() => onOpen(line)}
        >
          <time>{lineTime(line.timestamp, false)}</time>{" "}
          {withService && (
            <span class="dim">
              <Marked text={line.service} />{" "}
            </span>
          )}
          <Marked text={firstLine(line.message).first} words={words} />
        </button>
      ))}
    </>
  );
}

/** A few events next to one, in its service; they are read when the person stays at the event. */
export function Around({ id, words, onOpen }: { id: string; words: readonly string[]; onOpen(event: LogEvent): void }) {
  const loaded = useMemo(() => new Loaded<ContextPage>(), []);
  useEffect(() => {
    const timer = setTimeout(() => void loaded.load((signal) => eventContext(id, "service", NEXT, signal)), STAYS_MS);
    return () => {
      clearTimeout(timer);
      loaded.clear();
    };
  }, [loaded, id]);
  const page = loaded.value.value;
  // Without them the event is still all there; the tab says what is wrong.
  if (loaded.problem.value) return null;
  return (
    <section class="around" aria-label="Around it, in the same service">
      <h2>Around it, in the same service</h2>
      {page && (
        <div class="context">
          <ContextLines page={page} words={words} withService={false} onOpen={onOpen} />
        </div>
      )}
    </section>
  );
}

function More({ children, onMore }: { children: string; onMore(): void }) {
  return (
    <button type="button" class="button plain small" onClick={onMore}>
      {children}
    </button>
  );
}
