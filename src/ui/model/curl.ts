// What a page asks, as command lines that somebody may paste. A token is never in them.

/** For a POSIX shell. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

export function curlLine(url: string, hasToken: boolean): string {
  const header = hasToken ? ` -H "X-Consul-Token: $CONSUL_HTTP_TOKEN"` : "";
  return `curl -s${header} ${quoted(url)}`;
}
