import { signal, type ReadonlySignal, type Signal } from "@preact/signals";
import type { AnnouncedUpload } from "../api/schema";

export interface Transfer {
  key: number;
  name: string;
  size: number;
  state: "queued" | "sending" | "sent" | "failed";
  /** Sent share of the file, 0 to 1. */
  share: number;
  problem: Error | null;
}

export interface TransferSteps {
  announce(file: File): Promise<AnnouncedUpload>;
  put(file: File, to: AnnouncedUpload, onProgress: (share: number) => void, signal: AbortSignal): Promise<void>;
}

const AT_ONCE = 2;

/** The files that this page is sending, two at a time, in the order in which they were chosen. */
export class Transfers {
  private readonly list: Signal<Transfer[]> = signal([]);
  private readonly waiting: { key: number; file: File }[] = [];
  private readonly leaving = new AbortController();
  private running = 0;
  private last = 0;

  constructor(
    private readonly steps: TransferSteps,
    private readonly onSent: () => void,
  ) {}

  get shown(): ReadonlySignal<Transfer[]> {
    return this.list;
  }

  get isBusy(): boolean {
    return this.running > 0;
  }

  add(files: Iterable<File>): void {
    for (const file of files) {
      const key = ++this.last;
      const { name, size } = file;
      this.list.value = [...this.list.value, { key, name, size, state: "queued", share: 0, problem: null }];
      this.waiting.push({ key, file });
    }
    this.next();
  }

  /** Remove a transfer that ended from the list. */
  dismiss(key: number): void {
    this.list.value = this.list.value.filter((each) => each.key !== key);
  }

  cancelAll(): void {
    this.waiting.length = 0;
    this.leaving.abort();
  }

  private next(): void {
    while (this.running < AT_ONCE && this.waiting.length > 0) {
      const { key, file } = this.waiting.shift()!;
      this.running += 1;
      void this.send(key, file).finally(() => {
        this.running -= 1;
        this.next();
      });
    }
  }

  private async send(key: number, file: File): Promise<void> {
    this.set(key, { state: "sending" });
    try {
      const announced = await this.steps.announce(file);
      await this.steps.put(file, announced, (share) => this.set(key, { share }), this.leaving.signal);
      this.set(key, { state: "sent", share: 1 });
      this.dismiss(key);
      this.onSent();
    } catch (fault) {
      if (!this.leaving.signal.aborted) this.set(key, { state: "failed", problem: fault as Error });
    }
  }

  private set(key: number, change: Partial<Transfer>): void {
    this.list.value = this.list.value.map((each) => (each.key === key ? { ...each, ...change } : each));
  }
}
