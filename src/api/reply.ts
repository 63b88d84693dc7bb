// What a handler answers. How it goes out (indentation, compression, common headers) is `endpoint.ts`.

export interface Reply {
  status: number;
  headers: Record<string, string>;
  body: string | Uint8Array | ReadableStream<Uint8Array> | null;
  /** The body is JSON text, which `?pretty` indents. */
  isJson: boolean;
  /** While it says yes, an equal request has this same answer; absent: nobody knows. */
  isCurrent?: () => boolean;
}

/** JSON text as it was encoded. */
export function json(body: string, headers: Record<string, string> = {}, status = 200): Reply {
  return {
    status,
    headers: { "Content-Type": "application/json", ...headers },
    body,
    isJson: true,
  };
}

/** Plain text, as errors are. */
export function text(status: number, body: string, headers: Record<string, string> = {}): Reply {
  return {
    status,
    headers: { "Content-Type": "text/plain; charset=utf-8", ...headers },
    body,
    isJson: false,
  };
}

/** Nothing, and no Content-Type: what Consul answers where there is nothing to say. */
export function empty(status = 200, headers: Record<string, string> = {}): Reply {
  return { status, headers, body: null, isJson: false };
}
