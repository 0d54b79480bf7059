import { pieces } from "./pieces";

const NO_WORDS: readonly string[] = [];

/** A message as it is drawn: hits marked, ANSI colours, characters without a shape by their code. Never markup. */
export function Marked({ text, words = NO_WORDS }: { text: string; words?: readonly string[] }) {
  return (
    <bdi>
      {pieces(text, words).map((piece, index) => {
        if (piece.kind === "hit") return <mark key={index}>{piece.text}</mark>;
        const names = piece.kind === "invisible" ? `invisible ${piece.style}` : piece.style;
        return names ? (
          <span key={index} class={names}>
            {piece.text}
          </span>
        ) : (
          piece.text
        );
      })}
    </bdi>
  );
}
