export interface Part {
  at: number;
  text: string;
  href: string | null;
}

const LINK = /https?:\/\/[^\s)]+[^\s).,;:]/g;

/** A text in parts: addresses of the web as links, everything else as it is. */
export function textWithLinks(text: string): Part[] {
  const parts: Part[] = [];
  let at = 0;
  for (const match of text.matchAll(LINK)) {
    if (match.index > at) parts.push({ at, text: text.slice(at, match.index), href: null });
    parts.push({ at: match.index, text: match[0], href: match[0] });
    at = match.index + match[0].length;
  }
  if (at < text.length) parts.push({ at, text: text.slice(at), href: null });
  return parts;
}
