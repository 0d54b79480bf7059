import type { ShownField } from "./event";

const WORD = /^[A-Za-z_][\w./-]*$/;
const RESERVED = new Set(["OR", "AND", "NOT", "TO", "true", "false", "null"]);

/** A condition on a field as the query language writes it: `service:checkout`, `@order:42`, `-level:info`. */
export function condition(field: ShownField, exclude = false): string {
  return `${exclude ? "-" : ""}${field.name}:${valueText(field)}`;
}

function valueText({ kind, text }: ShownField): string {
  if (kind === "list") return "*";
  if (kind !== "text" || (WORD.test(text) && !RESERVED.has(text))) return text;
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** `query` narrowed by `filter`: before its pipes, and outside its alternatives. The same filter is added once. */
export function narrowed(query: string, filter: string): string {
  const { filters, pipes } = split(query);
  const opposite = filter.startsWith("-") ? filter.slice(1) : `-${filter}`;
  const kept = filters.parts.filter((part) => part !== opposite && part !== filter && part !== "*");
  const before = filters.hasAlternatives ? [`(${filters.text})`] : kept;
  return [...before, filter].join(" ") + pipes;
}

/** `query` without a condition that `narrowed` added; the same query if it does not stand there. */
export function without(query: string, filter: string): string {
  const { filters, pipes } = split(query);
  if (filters.hasAlternatives || !filters.parts.includes(filter)) return query;
  return (filters.parts.filter((part) => part !== filter).join(" ") + pipes).trim();
}

/** The conditions of a query that must all hold, as they are written. */
export function conditionsOf(query: string): readonly string[] {
  const { filters } = split(query);
  return filters.hasAlternatives ? [] : filters.parts.filter((part) => !RESERVED.has(part) && part !== "*");
}

/** The filter of a query, without its pipes. */
export function filterText(query: string): string {
  return split(query).filters.text;
}

/** Whether a query has pipes: then it makes a table. */
export function hasPipes(query: string): boolean {
  return split(query).pipes !== "";
}

/** Words and phrases that a line must contain, to be marked in it. */
export function markedWords(query: string): string[] {
  const { filters } = split(query);
  return filters.parts
    .filter((part) => !part.startsWith("-") && !RESERVED.has(part) && !/[:()*]/.test(part.replace(/^".*"$/s, "")))
    .map((part) => part.replace(/^"(.*)"$/s, "$1").replaceAll(/\\(["\\])/g, "$1"))
    .filter((text) => text.length > 1);
}

interface Filters {
  text: string;
  /** What stands between spaces, outside quotes and parentheses. */
  parts: string[];
  /** Whether OR stands outside parentheses. */
  hasAlternatives: boolean;
}

/** The filters of a query, and its pipes with the first `|`; quotes and parentheses are kept whole. */
function split(query: string): { filters: Filters; pipes: string } {
  const parts: string[] = [];
  let part = "";
  let depth = 0;
  let at = 0;
  const end = () => {
    if (part !== "") parts.push(part);
    part = "";
  };
  for (; at < query.length; at += 1) {
    const character = query[at]!;
    if (character === '"' || character === "`") {
      const quoted = quotedFrom(query, at);
      part += quoted;
      at += quoted.length - 1;
    } else if (character === "|" && depth === 0) {
      break;
    } else if (/\s/.test(character) && depth === 0) {
      end();
    } else {
      depth = Math.max(0, depth + (character === "(" ? 1 : character === ")" ? -1 : 0));
      part += character;
    }
  }
  end();
  const filters = { text: query.slice(0, at).trim(), parts, hasAlternatives: parts.includes("OR") };
  return { filters, pipes: at < query.length ? ` ${query.slice(at)}` : "" };
}

function quotedFrom(query: string, start: number): string {
  const quote = query[start]!;
  for (let at = start + 1; at < query.length; at += 1) {
    if (query[at] === "\\" && quote === '"') at += 1;
    else if (query[at] === quote) return query.slice(start, at + 1);
  }
  return query.slice(start);
}

/** `query` with a caret below a column, in characters from 1; line breaks count as characters. */
export function pointedAt(query: string, column: number): string {
  const before = [...query].slice(0, column - 1).join("");
  const lineStart = before.lastIndexOf("\n") + 1;
  const lineEnd = query.indexOf("\n", before.length);
  const end = lineEnd < 0 ? query.length : lineEnd;
  return `${query.slice(0, end)}\n${" ".repeat([...before.slice(lineStart)].length)}^${query.slice(end)}`;
}
