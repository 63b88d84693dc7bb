// Starting to listen, with the words of Go when it cannot be, and the flag by which to change it.

import { existsSync, lstatSync, unlinkSync } from "node:fs";
import { connect, type Server } from "node:net";
import { dirname } from "node:path";

import { joinHostPort } from "../core/lib/host-port.ts";

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: "address already in use",
  EACCES: "permission denied",
  EADDRNOTAVAIL: "cannot assign requested address",
};

export interface ListenAddress {
  /** An IP address, or `unix:///path`, which needs no port. */
  host: string;
  port: number;
  /** Such as `-http-port`. */
  flag: string;
}

const unixScheme = "unix://";

/** Resolves when `server` listens; rejects with one line. */
export async function listening(server: Server, address: ListenAddress): Promise<void> {
  const { host, port } = address;
  const path = host.startsWith(unixScheme) ? host.slice(unixScheme.length) : null;
  if (path !== null) await removeDeadSocket(path);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (failure: NodeJS.ErrnoException) => {
      reject(bindError("tcp", failure, address));
    });
    if (path === null) server.listen(port, host, () => resolve());
    else server.listen(path, () => resolve());
  });
}

/** A socket that nobody listens at any more is in the way of the next one; nothing else is touched. */
async function removeDeadSocket(path: string): Promise<void> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return;
  const isAlive = await new Promise<boolean>((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
  if (!isAlive) unlinkSync(path);
}

/** Where a listener is, as the log shows it. */
export function shownAddress({ host, port }: Pick<ListenAddress, "host" | "port">): string {
  if (host.startsWith(unixScheme)) return host.slice(unixScheme.length);
  return joinHostPort(host, port);
}

export function bindError(
  network: "tcp" | "udp",
  failure: NodeJS.ErrnoException,
  address: ListenAddress,
): Error {
  const reason = reasons[failure.code ?? ""] ?? failure.message;
  if (address.host.startsWith(unixScheme)) {
    const path = shownAddress(address);
    // Where there is no folder, Node says that it may not.
    const why = existsSync(dirname(path)) ? reason : "no such file or directory";
    return new Error(`listen unix ${path}: bind: ${why}`);
  }
  return new Error(
    `listen ${network} ${shownAddress(address)}: bind: ${reason} (choose another with ${address.flag})`,
  );
}
