import { signal } from "@preact/signals";

const AT_ONCE = 2;

let running = 0;
const queue: (() => void)[] = [];

/** Something that is read beside the lines: its last value stays until the next one is there. */
export class Loaded<T> {
  readonly value = signal<T | null>(null);
  readonly problem = signal<Error | null>(null);
  readonly loading = signal(false);
  /** Whether the value is not what was asked for last: it is being read, or could not be. */
  readonly stale = signal(false);

  private running: AbortController | null = null;

  /** Read it again; a reading that is running is cancelled. */
  async load(read: (signal: AbortSignal) => Promise<T>): Promise<void> {
    this.running?.abort();
    const controller = (this.running = new AbortController());
    this.loading.value = true;
    this.stale.value = true;
    this.problem.value = null;
    try {
      const found = await inTurn(read, controller.signal);
      if (controller.signal.aborted) return;
      this.value.value = found;
      this.stale.value = false;
    } catch (fault) {
      if (!controller.signal.aborted) this.problem.value = fault instanceof Error ? fault : new Error(String(fault));
    } finally {
      if (this.running === controller) this.loading.value = false;
    }
  }

  /** Show a value of something else until the first reading has ended. */
  inherit(value: T | null): void {
    this.value.value = value;
    this.stale.value = true;
  }

  /** Stop reading; the last value stays. */
  cancel(): void {
    this.running?.abort();
    this.loading.value = false;
  }

  clear(): void {
    this.cancel();
    this.value.value = null;
    this.problem.value = null;
  }
}

/** Read few at a time: an account runs few searches at once, and the lines are one of them. */
export async function inTurn<T>(read: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
  if (running >= AT_ONCE) await new Promise<void>((resolve) => queue.push(resolve));
  running += 1;
  try {
    signal.throwIfAborted();
    return await read(signal);
  } finally {
    running -= 1;
    queue.shift()?.();
  }
}
