import { useCallback, useEffect, useRef, useState } from "preact/hooks";

export interface Resource<T> {
  /** Null until it is loaded; kept while it is loaded again. */
  value: T | null;
  problem: Error | null;
  reload(): Promise<void>;
}

/** What `load` gets, now and at each `reload`; a page that is left cancels its request. */
export function useResource<T>(load: (signal: AbortSignal) => Promise<T>): Resource<T> {
  const [value, setValue] = useState<T | null>(null);
  const [problem, setProblem] = useState<Error | null>(null);
  const running = useRef<AbortController | null>(null);
  const loading = useRef(load);
  loading.current = load;

  const reload = useCallback(async () => {
    running.current?.abort();
    const controller = (running.current = new AbortController());
    try {
      const loaded = await loading.current(controller.signal);
      if (controller.signal.aborted) return;
      setValue(() => loaded);
      setProblem(null);
    } catch (fault) {
      if (!controller.signal.aborted) setProblem(fault instanceof Error ? fault : new Error(String(fault)));
    }
  }, []);

  useEffect(() => {
    void reload();
    return () => running.current?.abort();
  }, [reload]);

  return { value, problem, reload };
}
