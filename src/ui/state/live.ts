// Live data in components: what a component names is followed while it is there.

import { useEffect, useMemo } from "preact/hooks";

import type { Live } from "../live/client.ts";
import { LiveClient } from "../live/client.ts";
import type { Ask, Priority } from "../live/port.ts";
import { apiRoot } from "./place.ts";
import { token } from "./token.ts";

export const live = new LiveClient(apiRoot);

export interface LiveOptions {
  priority?: Priority;
  rowKey?: string;
  pollMs?: number;
}

/** `path`: below the API's root. */
export function useLive<Body>(path: string, options: LiveOptions = {}): Live<Body> {
  const { priority = 0, rowKey, pollMs } = options;
  const secret = token.value;
  const ask = useMemo(
    (): Ask => ({
      ...{ path, token: secret, priority },
      ...(rowKey !== undefined && { rowKey }),
      ...(pollMs !== undefined && { pollMs }),
    }),
    [path, secret, priority, rowKey, pollMs],
  );
  const state = useMemo(() => live.hold(ask), [ask]);
  useEffect(() => () => live.release(ask), [ask]);
  return state.value as Live<Body>;
}

/** A path with a query, of which what is "" is left out. */
export function apiPath(path: string, query: Readonly<Record<string, string>>): string {
  const parameters = new URLSearchParams(
    Object.entries(query).filter(([, value]) => value !== ""),
  ).toString();
  return parameters === "" ? `v1/${path}` : `v1/${path}?${parameters}`;
}
