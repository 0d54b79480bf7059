import { useEffect, useState } from "preact/hooks";

/** A text to copy. */
export function Snippet({ text, label }: { text: string; label: string }) {
  return (
    <div class="snippet">
      <pre tabIndex={0} aria-label={label}>
        {text}
      </pre>
      <CopyButton text={text} />
    </div>
  );
}

/** Into the clipboard; whether the browser allowed it. */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** `label`: a name for the button where there are several. */
export function CopyButton({ text, label, children = "Copy" }: { text: string; label?: string; children?: string }) {
  const [result, setResult] = useState("");
  useEffect(() => {
    if (!result) return;
    const timer = setTimeout(() => setResult(""), 2000);
    return () => clearTimeout(timer);
  }, [result]);
  return (
    <button
      type="button"
      class="button small"
      aria-label={label}
      onClick={() => void copy(text).then((copied) => setResult(copied ? "Copied" : "Not copied"))}
    >
      <span aria-live="polite">{result || children}</span>
    </button>
  );
}
