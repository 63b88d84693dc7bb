// How long a message takes to another node and back. A server accepts connections: its kernel answers, so that what its
// processes do makes no difference. Every other agent answers pings on its gossip port, the same one on all hosts.

import { connect } from "node:net";

import type { Peer } from "../core/model/coordinate.ts";
import type { Mesh } from "./gossip/mesh.ts";

const timeoutMs = 5_000;

/** Ms to `peer` and back, with fractions; null when it does not answer in time. `port`: where agents listen. */
export async function roundTripMs(
  { Node: name, Address: host, Port: server }: Peer,
  mesh: Pick<Mesh, "reach">,
  port: number,
): Promise<number | null> {
  if (server !== null) return await connectMs(host, server);
  return (await mesh.reach({ name, host, port }))?.roundTripMs ?? null;
}

/** Ms in which a connection opens; null when none can be opened. */
export function connectMs(host: string, port: number): Promise<number | null> {
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
