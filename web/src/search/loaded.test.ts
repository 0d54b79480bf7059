import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Loaded } from "./loaded";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("what is read beside the lines", () => {
  it("keeps what it had when it cannot be read again", async () => {
    const found = new Loaded<number>();
    await found.load(async () => 1);
    await found.load(() => Promise.reject(new Error("Busy.")));
    expect([found.value.value, found.problem.value?.message, found.loading.value]).toEqual([1, "Busy.", false]);
  });

  it("shows nothing of a reading that a newer one has replaced", async () => {
    const found = new Loaded<string>();
    let answer = (_: string): void => undefined;
    const first = found.load(() => new Promise((resolve) => (answer = resolve)));
    await found.load(async () => "new");
    answer("old");
    await first;
    expect([found.value.value, found.loading.value]).toEqual(["new", false]);
  });

  it("is read with few others at a time, and a cancelled one leaves its turn to the next", async () => {
    const answers: (() => void)[] = [];
    const reading = Array.from({ length: 4 }, () => new Loaded<number>());
    const read = vi.fn(() => new Promise<number>((resolve) => answers.push(() => resolve(1))));
    const all = reading.map((each) => each.load(read));
    await vi.advanceTimersByTimeAsync(0);
    expect(read).toHaveBeenCalledTimes(2);
    reading[2]!.cancel();
    answers[0]!();
    await vi.advanceTimersByTimeAsync(0);
    answers[1]!();
    await vi.advanceTimersByTimeAsync(0);
    expect(read).toHaveBeenCalledTimes(3);
    answers[2]!();
    await Promise.all(all);
    expect(reading.map((each) => each.value.value)).toEqual([1, 1, null, 1]);
  });
});
