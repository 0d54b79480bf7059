/** How well `text` has the letters of `wanted` in their order; null if it does not. More is better. */
export function matchScore(wanted: string, text: string): number | null {
  const [letters, lower] = [wanted.toLowerCase().replaceAll(/\s/g, ""), text.toLowerCase()];
  let score = 0;
  let at = -1;
  for (const letter of letters) {
    const next = lower.indexOf(letter, at + 1);
    if (next < 0) return null;
    if (next === at + 1) score += 3;
    if (next === 0 || /\W/.test(lower[next - 1]!)) score += 2;
    at = next;
  }
  return score - text.length / 100;
}

/** The items that match, best first; all in their order without a text. */
export function matching<T>(wanted: string, items: readonly T[], textOf: (item: T) => string): T[] {
  if (wanted.trim() === "") return [...items];
  return items
    .map((item) => ({ item, score: matchScore(wanted, textOf(item)) }))
    .filter((each): each is { item: T; score: number } => each.score !== null)
    .sort((a, b) => b.score - a.score)
    .map(({ item }) => item);
}
