// Whether what is shown is so now.

import { useMemo } from "preact/hooks";

import type { Standing } from "../live/port.ts";
import { useNow } from "../state/clock.ts";
import { useKeys } from "../state/keys.ts";
import { live } from "../state/live.ts";
import { formatTime, words } from "../text/index.ts";
import { Icon } from "./Icon.tsx";

/** Shorter failures are nobody's business. */
const patienceMs = 3_000;

export function Connection({ standing }: { standing: Standing }) {
  const { connection } = words();
  const pausedMs = live.pausedMs.value;
  const isFailing = standing.failure !== null && standing.failingMs > 0;
  const now = useNow(pausedMs > 0 || isFailing);
  useKeys(useMemo(() => ({ p: () => live.pause(live.pausedMs.peek() === 0) }), []));
  if (pausedMs > 0) {
    return (
      <button
        type="button"
        class="connection is-paused"
        onClick={() => live.pause(false)}
        title={connection.resume}
      >
        <Icon name="pause" />
        {connection.paused(clock(now - pausedMs))}
      </button>
    );
  }
  if (isFailing && now - standing.failingMs >= patienceMs) {
    const { contactMs } = standing;
    return (
      <span class="connection is-lost" role="alert">
        <i />
        {contactMs === 0 ? connection.never : connection.disconnected(formatTime(contactMs, now))}
        <button type="button" class="link" onClick={() => live.retry()}>
          {connection.retry}
        </button>
      </span>
    );
  }
  const isThere = standing.contactMs > 0;
  return (
    <span class={`connection ${isThere ? "is-live" : ""}`} title={connection.liveHint}>
      <i />
      {isThere ? connection.live : connection.connecting}
    </span>
  );
}

/** `00:41`. */
function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const parts = [Math.floor(seconds / 60), seconds % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}
