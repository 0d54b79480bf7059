/**
 * Reads a query's lexical forms for its colours, as `functions/query/language/scanner.py` does.
 *
 * Shared vectors (`vectors.json`, made by tests/unit/query/test_editor_vectors.py) hold the two together. A text that
 * is not a query yet is read as far as it goes; nothing is rejected here.
 */
export type TokenKind =
  "field" | "text" | "number" | "constant" | "string" | "regex" | "keyword" | "pipe" | "function" | "punctuation";

/** From `start` (inclusive) to `end` (exclusive), in UTF-16 units. */
export interface Token {
  kind: TokenKind;
  start: number;
  end: number;
}

const FREE = /[^\s()|"*:`]+/y;
const VALUE = /[^\s()|"*`]+/y;
const BOUND = /[^\s()|"*`[\]]+/y;
const QUOTED = /"(?:[^"\\]|\\[^])*(?:"|$)/y;
const NAME = /@?(?:`(?:[^`]|``)*(?:`|$)|[\p{L}\p{N}_$/#][\p{L}\p{N}_.$/#@-]*)/uy;
const BARE = /^[\p{L}\p{N}_$/#][\p{L}\p{N}_.$/#@-]*$/u;
const REGEX = /\/(?:[^/\\\n]|\\.)*\/i?(?=[\s)|]|$)/y;
const SPACED_FREE = /\*[^\s()|"*:`]+(?:[ \t]+[^\s()|"*:`]+)+\*(?=[\s)|]|$)/y;
const SPACED_VALUE = /\*[^\s()|"*`]+(?:[ \t]+[^\s()|"*:`]+)+\*(?=[\s)|]|$)/y;
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;
const BLANKS = /\s+/y;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const LENGTH = /\d+[smhd]?/y;

const JOINS = ["AND", "OR", "NOT"];
const PIPE_WORDS = ["by", "as", "from", "pattern"];
export const PIPES = ["stats", "sort", "limit", "fields", "where", "extract", "dedup", "top", "patterns"];
const FUNCTION = /^(?:count|uniq|sum|avg|min|max|bucket|p[1-9]\d?)$/;

export function tokensOf(query: string): Token[] {
  const reader = new Reader(query);
  reader.filter();
  while (!reader.ended) reader.pipe();
  return reader.tokens;
}

class Reader {
  readonly tokens: Token[] = [];
  private at = 0;

  constructor(private readonly text: string) {}

  get ended(): boolean {
    return this.at >= this.text.length;
  }

  /** Conditions up to a `|` or the end. */
  filter(): void {
    while (!this.ended && this.peek() !== "|") {
      if (this.blanks() || this.join(JOINS)) continue;
      const next = this.peek();
      if (next === "(" || next === ")" || (next === "-" && !this.startsBlank(1))) this.add("punctuation", 1);
      else this.term();
    }
  }

  /** A `|`, the pipe's name, and its arguments. */
  pipe(): void {
    this.add("punctuation", 1);
    this.blanks();
    const name = this.match(WORD);
    if (name !== "") this.add(PIPES.includes(name) ? "pipe" : "text", name.length);
    if (name === "where") return this.filter();
    while (!this.ended && this.peek() !== "|") this.argument();
  }

  private argument(): void {
    if (this.blanks() || this.join(PIPE_WORDS) || this.take(QUOTED, "string") || this.take(REGEX, "regex")) return;
    const word = this.match(WORD);
    if (FUNCTION.test(word) && this.text[this.at + word.length] === "(") this.add("function", word.length);
    else if (!this.take(LENGTH, "number") && !this.take(NAME, "field")) this.add("punctuation", 1);
  }

  /** A condition on a field, or words in the message. */
  private term(): void {
    if (this.take(REGEX, "regex")) return;
    if (this.peek() === "@" || this.peek() === "`") {
      if (this.take(NAME, "field")) this.condition();
      else this.add("text", 1);
      return;
    }
    const name = this.match(FREE);
    if (name !== "" && this.text[this.at + name.length] === ":") {
      this.add(BARE.test(name) ? "field" : "text", name.length);
      this.condition();
    } else this.parts(FREE, SPACED_FREE);
  }

  /** The `:` behind a field and what follows it. */
  private condition(): void {
    if (this.peek() !== ":") return;
    this.add("punctuation", 1);
    if (this.peek() !== "(") return this.value();
    let depth = 0;
    do {
      if (this.blanks() || this.join(JOINS)) continue;
      if (this.peek() === "(" || this.peek() === ")") {
        depth += this.peek() === "(" ? 1 : -1;
        this.add("punctuation", 1);
      } else this.value();
    } while (depth > 0 && !this.ended && this.peek() !== "|");
  }

  private value(): void {
    const operator = /(?:>=|<=|>|<)/y;
    if (this.take(operator, "punctuation")) this.bound();
    else if (this.peek() === "[") this.range();
    else if (!this.take(REGEX, "regex")) this.parts(VALUE, SPACED_VALUE);
  }

  private range(): void {
    this.add("punctuation", 1);
    while (!this.ended && this.peek() !== "]" && this.peek() !== "|" && this.peek() !== ")") {
      if (!this.blanks() && !this.join(["TO"])) this.bound();
    }
    if (this.peek() === "]") this.add("punctuation", 1);
  }

  private bound(): void {
    if (this.ended || this.startsBlank(0) || this.take(QUOTED, "string")) return;
    const text = this.match(BOUND);
    this.add(text === "" ? "punctuation" : kindOf(text), text.length || 1);
  }

  /** Chunks, quoted texts and stars without blanks between them; `*two words*` is one of them. */
  private parts(chunk: RegExp, spaced: RegExp): void {
    const whole = this.match(spaced);
    if (whole !== "" && !whole.slice(1, -1).split(/\s+/).slice(1).some(separates)) {
      this.add("punctuation", 1);
      this.add("text", whole.length - 2);
      this.add("punctuation", 1);
      return;
    }
    const began = this.at;
    while (!this.ended) {
      if (this.take(QUOTED, "string")) continue;
      const text = this.match(chunk);
      if (text !== "") {
        const alone = this.at === began && !/["*]/.test(this.text[this.at + text.length] ?? "");
        this.add(alone && chunk === VALUE ? kindOf(text) : "text", text.length);
      } else if (this.peek() === "*") this.add("punctuation", 1);
      else break;
    }
    if (this.at === began && !this.ended && this.peek() !== "|" && this.peek() !== ")") this.add("text", 1);
  }

  /** One of the words as a whole word. */
  private join(words: readonly string[]): boolean {
    const word = words.find(
      (each) => this.text.startsWith(each, this.at) && /^[\s()|"]$/.test(this.text[this.at + each.length] ?? ""),
    );
    if (word === undefined) return false;
    this.add("keyword", word.length);
    return true;
  }

  private peek(): string {
    return this.text[this.at] ?? "";
  }

  private startsBlank(further: number): boolean {
    return /^(?:\s|$)/.test(this.text[this.at + further] ?? "");
  }

  private blanks(): boolean {
    const found = this.match(BLANKS);
    this.at += found.length;
    return found !== "";
  }

  private match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    return pattern.exec(this.text)?.[0] ?? "";
  }

  private take(pattern: RegExp, kind: TokenKind): boolean {
    const found = this.match(pattern);
    if (found !== "") this.add(kind, found.length);
    return found !== "";
  }

  private add(kind: TokenKind, length: number): void {
    this.tokens.push({ kind, start: this.at, end: this.at + length });
    this.at += length;
  }
}

function kindOf(text: string): TokenKind {
  if (text === "true" || text === "false" || text === "null") return "constant";
  return NUMBER.test(text) ? "number" : "text";
}

/** Whether a word means more than its characters, so that blanks before it separate terms. */
function separates(word: string): boolean {
  return /^[-/]/.test(word) || ["AND", "OR", "NOT", "TO"].includes(word);
}
