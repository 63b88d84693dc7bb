// The gossip port for datagrams.

import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { isIPv4, isIPv6 } from "node:net";

/** Whatever is longer was sent by nobody who means this port. */
export const datagramBytesMax = 1_400;

export class Datagrams {
  readonly #received: (datagram: Buffer, from: RemoteInfo) => void;
  #socket: Socket | null = null;
  #closed = false;

  constructor(received: (datagram: Buffer, from: RemoteInfo) => void) {
    this.#received = received;
  }

  /** Rejects when the port cannot be had. */
  async listen(host: string, port: number): Promise<void> {
    const socket = createSocket({ type: isIPv6(host) ? "udp6" : "udp4" });
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.bind(port, host, () => {
        socket.off("error", reject);
        resolve();
      });
    });
    if (this.#closed) return void socket.close();
    // What cannot be delivered is lost, like any datagram.
    socket.on("error", () => undefined);
    socket.on("message", (datagram, from) => this.#received(datagram, from));
    this.#socket = socket;
  }

  send(datagram: Uint8Array, host: string, port: number): void {
    const socket = this.#socket;
    if (!socket) return;
    // A socket of both families writes addresses of the older one as if they were of the newer.
    const isOlder = socket.address().family === "IPv6" && isIPv4(host);
    socket.send(datagram, port, isOlder ? `::ffff:${host}` : host, () => undefined);
  }

  close(): void {
    this.#closed = true;
    this.#socket?.close();
    this.#socket = null;
  }
}
