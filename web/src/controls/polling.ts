import { useEffect } from "preact/hooks";

/** Calls `look` again and again while `active`, with a pause after each answer; not while the page is hidden. */
export function usePolling(active: boolean, look: () => Promise<void>, pauseMs = 2000): void {
  useEffect(() => {
    if (!active) return;
    let timer: ReturnType<typeof setTimeout>;
    let left = false;
    const next = async () => {
      if (!document.hidden) await look();
      if (!left) timer = setTimeout(() => void next(), pauseMs);
    };
    timer = setTimeout(() => void next(), pauseMs);
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, [active, look, pauseMs]);
}
