import { useRef, useState } from "preact/hooks";

const STEP = 16;

export interface Side {
  width: number;
  setWidth(width: number): void;
}

/** The width of a side column, which the browser remembers. */
export function useSide(name: string, first: number, [least, most]: readonly [number, number]): Side {
  const stored = `astralog.width.${name}`;
  const limited = (width: number) => Math.round(Math.min(Math.max(width, least), most));
  const [width, setWidth] = useState(() => limited(read(stored) ?? first));
  return {
    width,
    setWidth: (next) => {
      setWidth(limited(next));
      try {
        localStorage.setItem(stored, String(limited(next)));
      } catch {
        // A browser that stores nothing keeps it for this visit.
      }
    },
  };
}

/** The edge of a side column: drag it, or use the arrow keys. `grows`: to which side the column becomes wider. */
export function Edge({ side, label, grows }: { side: Side; label: string; grows: "left" | "right" }) {
  const from = useRef<{ x: number; width: number } | null>(null);
  const sign = grows === "right" ? 1 : -1;
  return (
    <div
      class="edge"
      role="separator"
      aria-orientation="vertical"
      aria-label={label}
      aria-valuenow={side.width}
      tabIndex={0}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        from.current = { x: event.clientX, width: side.width };
      }}
      onPointerMove={(event) => {
        if (from.current) side.setWidth(from.current.width + sign * (event.clientX - from.current.x));
      }}
      onPointerUp={() => (from.current = null)}
      onKeyDown={(event) => {
        const step = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key];
        if (step === undefined) return;
        event.preventDefault();
        side.setWidth(side.width + sign * step);
      }}
    />
  );
}

function read(name: string): number | null {
  try {
    const width = Number(localStorage.getItem(name) ?? NaN);
    return Number.isFinite(width) ? width : null;
  } catch {
    return null;
  }
}
