import { useEffect, useState } from "preact/hooks";
import { eventById } from "./api";
import type { LogEvent } from "./event";

/** The event that a link names: from the loaded lines, or read by its id. */
export function useLinkedEvent(
  id: string | null,
  events: LogEvent[],
): { event: LogEvent | null; problem: Error | null } {
  const [read, setRead] = useState<LogEvent | null>(null);
  const [problem, setProblem] = useState<Error | null>(null);
  const listed = id === null ? undefined : events.find((event) => event.id === id);
  const isListed = listed !== undefined;
  useEffect(() => {
    setProblem(null);
    if (id === null || isListed) return;
    const controller = new AbortController();
    eventById(id, controller.signal).then(setRead, (fault: unknown) => {
      if (!controller.signal.aborted) setProblem(fault instanceof Error ? fault : new Error(String(fault)));
    });
    return () => controller.abort();
  }, [id, isListed]);
  return { event: listed ?? (read?.id === id ? read : null), problem };
}
