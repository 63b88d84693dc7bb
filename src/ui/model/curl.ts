// What a page asks, as command lines that somebody may paste. A token is never in them.

/** For a POSIX shell. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

export function curlLine(url: string, hasToken: boolean): string {
  const header = hasToken ? ` -H "X-Consul-Token: $CONSUL_HTTP_TOKEN"` : "";
  return `curl -s${header} ${quoted(url)}`;
}

/** Of a request that changes something. */
export function writeLine(
  root: string,
  { method, path, body }: { method: string; path: string; body?: string },
  hasToken: boolean,
): string {
  const header = hasToken ? ` -H "X-Consul-Token: $CONSUL_HTTP_TOKEN"` : "";
  const data = body === undefined ? "" : ` --data-binary ${quoted(body)}`;
  return `curl -X ${method}${header}${data} ${quoted(new URL(path, root).href)}`;
}
