import { describe, expect, it, vi } from "vitest";
import type { AnnouncedUpload } from "../api/schema";
import { isPut } from "./put";
import { Transfers, type TransferSteps } from "./transfers";

const ANNOUNCED = { id: "1", url: "https://bucket.example/1" } as AnnouncedUpload;

function file(name: string): File {
  return new File(["x"], name);
}

/** Steps whose PUTs end when the test says so. */
function held() {
  const ends: { resolve(): void; reject(fault: Error): void; progress(share: number): void }[] = [];
  const steps: TransferSteps = {
    announce: async () => ANNOUNCED,
    put: (_file, _to, progress) => new Promise((resolve, reject) => ends.push({ resolve, reject, progress })),
  };
  return { ends, steps };
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
}

describe("files that are sent", () => {
  it("go two at a time, in their order", async () => {
    const { ends, steps } = held();
    const transfers = new Transfers(steps, () => undefined);
    transfers.add([file("a"), file("b"), file("c")]);
    await settled();
    expect(transfers.shown.value.map((each) => each.state)).toEqual(["sending", "sending", "queued"]);
    ends[0]!.resolve();
    await settled();
    expect(transfers.shown.value.map((each) => [each.name, each.state])).toEqual([
      ["b", "sending"],
      ["c", "sending"],
    ]);
  });

  it("show how much is sent, and leave the list when they are", async () => {
    const { ends, steps } = held();
    const sent = vi.fn();
    const transfers = new Transfers(steps, sent);
    transfers.add([file("a")]);
    await settled();
    ends[0]!.progress(0.5);
    expect(transfers.shown.value[0]!.share).toBe(0.5);
    ends[0]!.resolve();
    await settled();
    expect(transfers.shown.value).toEqual([]);
    expect(sent).toHaveBeenCalledOnce();
  });

  it("stay with the reason when they fail, and do not stop the others", async () => {
    const { ends, steps } = held();
    const transfers = new Transfers(steps, () => undefined);
    transfers.add([file("a"), file("b"), file("c")]);
    await settled();
    ends[0]!.reject(new Error("The bucket answered 403."));
    await settled();
    expect(transfers.shown.value.map((each) => each.state)).toEqual(["failed", "sending", "sending"]);
    expect(transfers.shown.value[0]!.problem!.message).toContain("403");
    transfers.dismiss(transfers.shown.value[0]!.key);
    expect(transfers.shown.value.map((each) => each.name)).toEqual(["b", "c"]);
  });
});

describe("the answer of the bucket", () => {
  it("is success too when an earlier attempt put the file", () => {
    expect([200, 204, 412, 403, 500].map(isPut)).toEqual([true, true, true, false, false]);
  });
});
