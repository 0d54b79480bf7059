/** A command that reads the event; the key is the person's own, and is not in it. */
export function curlOf(id: string, origin: string): string {
  return `curl '${origin}/v1/events/${encodeURIComponent(id)}' -H "Authorization: Bearer $ASTRALOG_KEY"`;
}
