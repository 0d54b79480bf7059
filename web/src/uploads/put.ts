import { OfflineProblem } from "../api/problem";
import type { AnnouncedUpload } from "../api/schema";

/** A header that the browser sends by itself, and that a page may not set. */
const BY_THE_BROWSER = new Set(["content-length", "host"]);

const ALREADY_THERE = 412;

/**
 * Put a file to its presigned URL. XMLHttpRequest, because fetch reports no progress of a request.
 *
 * A 412 is success: an earlier attempt put the file, and only its response was lost.
 *
 * @param onProgress is called with the share of the file that was sent, 0 to 1
 * @throws OfflineProblem without a response; Error for a rejection; AbortError
 */
export function putFile(
  file: Blob,
  to: Pick<AnnouncedUpload, "url" | "method" | "headers">,
  onProgress: (share: number) => void,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(to.method, to.url);
    for (const [name, value] of Object.entries(to.headers)) {
      if (!BY_THE_BROWSER.has(name.toLowerCase())) request.setRequestHeader(name, value);
    }
    request.upload.onprogress = (event) => onProgress(event.total === 0 ? 1 : event.loaded / event.total);
    request.onload = () => {
      if (isPut(request.status)) resolve();
      else reject(new Error(`The bucket answered ${request.status}. Choose the file again.`));
    };
    request.onerror = () => reject(new OfflineProblem());
    request.onabort = () => reject(new DOMException("Cancelled", "AbortError"));
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

export function isPut(status: number): boolean {
  return (status >= 200 && status < 300) || status === ALREADY_THERE;
}
