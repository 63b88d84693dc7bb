// Whose a Unix socket is: user, group and mode of the configuration, with Consul's texts where they cannot be.

import { chmodSync, chownSync, readFileSync } from "node:fs";

import type { UnixSocketsConfig } from "./config/types.ts";

const scheme = "unix://";

/** Does nothing for other addresses. Throws. */
export function own(address: string, { user, group, mode }: UnixSocketsConfig): void {
  if (!address.startsWith(scheme)) return;
  const path = address.slice(scheme.length);
  const uid = user === "" ? -1 : idOf(user, "user", "/etc/passwd");
  const gid = group === "" ? -1 : idOf(group, "group", "/etc/group");
  if (mode !== "" && !/^[0-7]{1,5}$/.test(mode)) {
    throw new Error(`Failed setting up socket: invalid mode specified: ${mode}`);
  }
  try {
    // Without what others could do in between.
    if (mode !== "") chmodSync(path, Number.parseInt(mode, 8));
    if (uid >= 0 || gid >= 0) chownSync(path, uid, gid);
  } catch (failure) {
    const why = (failure as Error).message;
    throw new Error(`Failed setting up socket: ${why}`, { cause: failure });
  }
}

/** A number, or a name that the host's file knows. */
function idOf(text: string, kind: "user" | "group", file: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  const lines = readFileSync(file, "utf8").split("\n");
  const [, , id] = lines.map((line) => line.split(":")).find(([name]) => name === text) ?? [];
  if (id !== undefined) return Number(id);
  throw new Error(`Failed setting up socket: invalid ${kind} specified: ${text}`);
}
