/** A part of a message that is drawn in one way. */
export interface Piece {
  text: string;
  kind: "text" | "hit" | "invisible";
  /** Class names of its ANSI style; empty for none. */
  style: string;
}

const SGR = /\u001b\[([\d;:]*)m/g;
/** Characters without a width or that change the direction of text; joiners only where no script needs them. */
const INVISIBLE =
  /([\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|(?<![^\u0000-\u007f])[\u200c\u200d]|[\u200c\u200d](?![^\u0000-\u007f]))/u;
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
const SPECIAL = new RegExp(`${CONTROLS.source}|${INVISIBLE.source}`, "u");
const NAMES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"] as const;

/**
 * A message as it is drawn: ANSI colours as class names, `words` as hits, characters without a shape by their code.
 *
 * Other control characters become dots, so that no sequence has an effect; line breaks and tabs stay.
 */
export function pieces(text: string, words: readonly string[]): Piece[] {
  if (words.length === 0 && !SPECIAL.test(text)) return text === "" ? [] : [{ text, kind: "text", style: "" }];
  const runs = coloured(text);
  const hits = hitsOf(runs.map((run) => run.text).join(""), words);
  let start = 0;
  return runs.flatMap((run) => {
    const found = cut(run, start, hits);
    start += run.text.length;
    return found;
  });
}

/** A string as JSON, whose characters without a shape are escapes: the same value, and no other one looks like it. */
export function visibleJson(text: string): string {
  return JSON.stringify(text)
    .split(INVISIBLE)
    .map((part, index) => (index % 2 === 0 ? part : part.split("").map(escaped).join("")))
    .join("")
    .replaceAll(/[\u007f-\u009f]/g, escaped);
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** The message without its ANSI colours. */
export function withoutColours(text: string): string {
  return text.replaceAll(SGR, "");
}

interface Run {
  text: string;
  style: string;
}

const MOST_RUNS = 400;

function coloured(text: string): Run[] {
  if (!text.includes("\u001b[")) return [{ text, style: "" }];
  const runs: Run[] = [];
  const style = new Style();
  let at = 0;
  for (const found of text.matchAll(SGR)) {
    if (runs.length === MOST_RUNS) break;
    if (found.index > at) runs.push({ text: text.slice(at, found.index), style: style.names() });
    style.apply(found[1]!);
    at = found.index + found[0].length;
  }
  runs.push({ text: withoutColours(text.slice(at)), style: style.names() });
  return runs.filter((run) => run.text !== "");
}

/** The state that SGR sequences change: a colour of eight, bold, dim, italic, underline. */
class Style {
  private colour = "";
  private readonly marks = new Set<string>();

  apply(parameters: string): void {
    const codes = parameters.split(/[;:]/).map(Number);
    for (let at = 0; at < codes.length; at += 1) {
      const code = codes[at]!;
      if (code === 38 || code === 48) {
        const colour = extended(codes.slice(at + 1));
        if (code === 38) this.colour = colour;
        at += codes[at + 1] === 2 ? 4 : 2;
      } else this.one(code);
    }
  }

  names(): string {
    return [this.colour, ...this.marks].filter(Boolean).join(" ");
  }

  private one(code: number): void {
    const marks: Record<number, string> = { 1: "ansi-bold", 2: "ansi-dim", 3: "ansi-italic", 4: "ansi-underline" };
    if (code === 0) {
      this.colour = "";
      this.marks.clear();
    } else if (marks[code]) this.marks.add(marks[code]);
    else if (code === 22) ["ansi-bold", "ansi-dim"].forEach((mark) => this.marks.delete(mark));
    else if (code === 23 || code === 24) this.marks.delete(marks[code - 20]!);
    else if (code === 39) this.colour = "";
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) this.colour = `ansi-${NAMES[code % 10]}`;
  }
}

/** The nearest of the eight colours to one of 256, or to red, green and blue. */
function extended([kind, ...values]: number[]): string {
  if (kind === 2) return nearest(values[0] ?? 0, values[1] ?? 0, values[2] ?? 0);
  const index = values[0] ?? 0;
  if (index < 16) return `ansi-${NAMES[index % 8]}`;
  if (index >= 232) return index < 244 ? "ansi-black" : "ansi-white";
  const cube = index - 16;
  return nearest(Math.floor(cube / 36) * 51, (Math.floor(cube / 6) % 6) * 51, (cube % 6) * 51);
}

function nearest(red: number, green: number, blue: number): string {
  const least = Math.max(red, green, blue) * 0.6;
  const bits = (red > least ? 1 : 0) + (green > least ? 2 : 0) + (blue > least ? 4 : 0);
  return `ansi-${NAMES[bits]}`;
}

type Range = [number, number];

/** Where the words are, in any case; where hits overlap, the first one counts. */
function hitsOf(text: string, words: readonly string[]): Range[] {
  if (words.length === 0) return [];
  const escaped = words.map((word) => word.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const found = text.matchAll(new RegExp(escaped.join("|"), "giu"));
  return Array.from(found, ({ index, 0: hit }): Range => [index, index + hit.length]);
}

/** A run cut at the hits; `start` is its place in the whole text. */
function cut(run: Run, start: number, hits: Range[]): Piece[] {
  const found: Piece[] = [];
  const end = start + run.text.length;
  let at = start;
  const add = (to: number, kind: "text" | "hit") => {
    if (to > at) found.push(...drawn(run.text.slice(at - start, to - start), kind, run.style));
    at = Math.max(at, to);
  };
  for (const [first, last] of hits) {
    if (last <= start || first >= end) continue;
    add(Math.max(first, start), "text");
    add(Math.min(last, end), "hit");
  }
  add(end, "text");
  return found;
}

function drawn(text: string, kind: "text" | "hit", style: string): Piece[] {
  return text
    .split(INVISIBLE)
    .map((part, index): Piece => {
      if (index % 2 === 0) return { text: part.replaceAll(CONTROLS, "·"), kind, style };
      return {
        text: `U+${part.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`,
        kind: "invisible",
        style,
      };
    })
    .filter((piece) => piece.text !== "");
}
