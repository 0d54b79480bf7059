/** `text` with each of `words` marked, in any case; never as markup. */
export function Marked({ text, words }: { text: string; words: readonly string[] }) {
  return (
    <>
      {segments(text, words).map((segment, index) =>
        segment.hit ? <mark key={index}>{segment.text}</mark> : segment.text,
      )}
    </>
  );
}

interface Segment {
  text: string;
  hit: boolean;
}

/** The text cut at its hits; where hits overlap, the first one counts. */
export function segments(text: string, words: readonly string[]): Segment[] {
  if (words.length === 0) return [{ text, hit: false }];
  const escaped = words.map((word) => word.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return text
    .split(new RegExp(`(${escaped.join("|")})`, "giu"))
    .map((part, index) => ({ text: part, hit: index % 2 === 1 }))
    .filter((segment) => segment.text !== "");
}
