import { withoutColours } from "./pieces";

const MOST_SHOWN = 2000;
const MOST_EXPANDED = 20_000;
const MOST_EXPANDED_LINES = 200;

/** The first line of a message with text in it, and how many follow. */
export function firstLine(message: string): { first: string; more: number } {
  let start = 0;
  while (start < message.length) {
    const end = lineEnd(message, start);
    const line = message.slice(start, Math.min(end, start + MOST_SHOWN));
    if (withoutColours(line).trim() !== "") return { first: line, more: lineBreaks(message, end) };
    start = end + 1;
  }
  return { first: "", more: 0 };
}

/** What a message shows when it is expanded in place, and whether that is all of it. */
export function expanded(message: string): { text: string; isAll: boolean } {
  const lines = message.slice(0, MOST_EXPANDED).split(/\r\n|\n|\r/, MOST_EXPANDED_LINES);
  const text = lines.join("\n").replace(/\s+$/, "");
  return { text, isAll: message.replaceAll(/\r\n|\r/g, "\n").replace(/\s+$/, "").length === text.length };
}

function lineEnd(message: string, start: number): number {
  for (let at = start; at < message.length; at += 1) {
    const code = message.charCodeAt(at);
    if (code === 10 || code === 13) return at;
  }
  return message.length;
}

function lineBreaks(message: string, from: number): number {
  return (
    message
      .slice(from)
      .replace(/\s+$/, "")
      .match(/\r\n|\n|\r/g)?.length ?? 0
  );
}
