import { signal } from "@preact/signals";
import { completeQuery, type Completion } from "../api";

const DEBOUNCE_MS = 80;

/** What may be written at the caret, and which of it is chosen. */
export class Completing {
  readonly options = signal<readonly Completion[]>([]);
  /** The index of the option that the person chose with the arrows; null for none. */
  readonly chosen = signal<number | null>(null);

  private range = { start: 0, end: 0 };
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running: AbortController | null = null;

  /** Ask what may be written at `caret`, an offset in UTF-16 units, when the typing pauses. */
  ask(query: string, caret: number): void {
    this.stop();
    this.timer = setTimeout(() => void this.read(query, caret), DEBOUNCE_MS);
  }

  close(): void {
    this.stop();
    this.options.value = [];
    this.chosen.value = null;
  }

  move(by: number): void {
    const count = this.options.value.length;
    const from = this.chosen.value ?? (by > 0 ? -1 : count);
    this.chosen.value = (from + by + count) % count;
  }

  /** `query` with the option in it, and the caret behind it. */
  applied(query: string, option: Completion): { query: string; start: number; end: number; insert: string } {
    const { start, end } = this.range;
    return { query: query.slice(0, start) + option.insert + query.slice(end), start, end, insert: option.insert };
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.running?.abort();
  }

  private async read(query: string, caret: number): Promise<void> {
    const controller = (this.running = new AbortController());
    try {
      const position = [...query.slice(0, caret)].length;
      const { replace, completions } = await completeQuery(query, position, controller.signal);
      if (controller.signal.aborted) return;
      this.range = { start: units(query, replace.start), end: units(query, replace.end) };
      const typed = query.slice(this.range.start, this.range.end);
      this.options.value = completions.filter((each) => each.insert !== typed);
      this.chosen.value = null;
    } catch {
      // Without completions the query can still be written.
      if (!controller.signal.aborted) this.close();
    }
  }
}

/** The offset in UTF-16 units of an offset in characters. */
function units(text: string, characters: number): number {
  return [...text].slice(0, characters).join("").length;
}
