import { useEffect } from "preact/hooks";
import { bytesText } from "../controls/format";
import type { Transfer, Transfers } from "./transfers";

/** The files on their way from this browser; leaving the page would stop them, so the browser asks. */
export function TransferList({ transfers }: { transfers: Transfers }) {
  const list = transfers.shown.value;
  const busy = list.some((each) => each.state === "queued" || each.state === "sending");
  useEffect(() => {
    if (!busy) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, [busy]);
  if (list.length === 0) return null;
  return (
    <ul class="transfers" aria-label="On their way">
      {list.map((each) => (
        <li key={each.key}>
          <span class="name">{each.name}</span>
          <span class="faint number">{bytesText(each.size)}</span>
          <Progress transfer={each} />
          {each.problem && (
            <p class="wrong" role="alert">
              {each.problem.message}{" "}
              <button type="button" class="button plain small" onClick={() => transfers.dismiss(each.key)}>
                Dismiss
              </button>
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}

function Progress({ transfer }: { transfer: Transfer }) {
  const percent = Math.floor(transfer.share * 100);
  const words = { queued: "waits", sending: `${percent} %`, sent: "sent", failed: "failed" }[transfer.state];
  return (
    <span class="number">
      <progress value={transfer.share} max={1} aria-label={`${transfer.name} sent`} /> {words}
    </span>
  );
}
