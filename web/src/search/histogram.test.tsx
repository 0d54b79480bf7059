import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Histogram as Counts } from "./api";
import { Histogram } from "./histogram";

const MINUTE_MS = 60_000;
const root = document.createElement("div");
let zoomed: [number, number][] = [];

/** One event in each of so many minutes. */
function minutes(count: number): Counts {
  const starts = Array.from({ length: count }, (_, at) => new Date(at * MINUTE_MS).toISOString());
  return {
    interval: "1m",
    from: starts[0]!,
    to: new Date(count * MINUTE_MS).toISOString(),
    starts,
    series: [{ value: "info", counts: starts.map(() => 1) }],
    other: null,
    total: count,
    stats: { rows_read: count, elapsed_ms: 1 },
  };
}

function show(counts: Counts): void {
  const onZoom = (from: number, to: number) => zoomed.push([from, to]);
  act(() => render(<Histogram counts={counts} before={null} stale={false} problem={null} onZoom={onZoom} />, root));
}

function press(key: string, shiftKey = false): void {
  const plot = root.querySelector(".plot")!;
  act(() => void plot.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, bubbles: true, cancelable: true })));
}

const tip = () => root.querySelector("[role=status]");

beforeEach(() => {
  zoomed = [];
  document.body.replaceChildren(root);
});
afterEach(() => act(() => render(null, root)));

it("drops a chosen interval with the counts it was chosen in, which may have more intervals", () => {
  show(minutes(60));
  press("End");
  expect(tip()).not.toBeNull();
  show(minutes(5));
  expect(tip()).toBeNull();
  press("End");
  press("ArrowLeft", true);
  press("Enter");
  expect(zoomed).toEqual([[3 * MINUTE_MS, 5 * MINUTE_MS]]);
});

it("keeps the chosen interval while the same counts are shown again", () => {
  const counts = minutes(10);
  show(counts);
  press("Home");
  show(counts);
  expect(tip()).not.toBeNull();
});

it("drops the choice on Escape", () => {
  show(minutes(10));
  press("End");
  press("Escape");
  expect(tip()).toBeNull();
  press("Enter");
  expect(zoomed).toEqual([]);
});
