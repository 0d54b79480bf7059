import { useEffect, useRef, useState } from "preact/hooks";

/**
 * Whether files hover over the page. Those dropped are for `take`; while it is undefined they wait for it, since the
 * browser leaves the page and shows the file when a drop is not handled.
 */
export function useDrops(take: ((files: File[]) => void) | undefined): boolean {
  const [over, setOver] = useState(false);
  const taker = useRef(take);
  const waiting = useRef<File[]>([]);
  taker.current = take;

  useEffect(() => {
    if (take && waiting.current.length) take(waiting.current.splice(0));
  }, [take]);

  useEffect(() => {
    const hover = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false);
    };
    const drop = (event: DragEvent) => {
      setOver(false);
      if (!event.dataTransfer?.files.length) return;
      event.preventDefault();
      const files = [...event.dataTransfer.files];
      if (taker.current) taker.current(files);
      else waiting.current.push(...files);
    };
    addEventListener("dragover", hover);
    addEventListener("dragleave", leave);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", hover);
      removeEventListener("dragleave", leave);
      removeEventListener("drop", drop);
    };
  }, []);

  return over;
}
