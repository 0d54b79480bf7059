import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, expect, it, vi } from "vitest";
import type { LogEvent } from "./event";
import { Lines } from "./lines";

const root = document.createElement("div");
const event = { message: "one", metadata: {}, service: "web", level: "info", timestamp: "2026-11-30T12:00:00Z" };

function draw(events: LogEvent[], onNearEnd: () => void): void {
  const lines = (
    <Lines
      events={events}
      selected={null}
      words={[]}
      withDay={false}
      columns={[]}
      wrap={false}
      stale={false}
      expandedLines={new Set()}
      onSelect={() => undefined}
      onExpand={() => undefined}
      onNearEnd={onNearEnd}
    />
  );
  act(() => render(lines, root));
}

afterEach(() => act(() => render(null, root)));

it("asks for more once for the same lines, however often they are drawn", () => {
  const asked = vi.fn();
  const events = [event] as unknown as LogEvent[];
  for (let times = 0; times < 5; times += 1) draw(events, () => asked());
  expect(asked).toHaveBeenCalledTimes(1);
  draw([...events, ...events], () => asked());
  expect(asked).toHaveBeenCalledTimes(2);
});
