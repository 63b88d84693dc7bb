// How long a message takes to another host and back: the time in which a connection opens. Its kernel answers, so that
// what its processes do makes no difference.

import { connect } from "node:net";

const timeoutMs = 5_000;

/** Ms, with fractions; null when no connection can be opened. */
export function roundTripMs(host: string, port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const startedMs = performance.now();
    const socket = connect({ host, port });
    const done = (tookMs: number | null): void => {
      socket.destroy();
      resolve(tookMs);
    };
    socket.setTimeout(timeoutMs, () => done(null));
    socket.once("connect", () => done(performance.now() - startedMs));
    socket.on("error", () => done(null));
  });
}
