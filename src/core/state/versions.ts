// Which commands may be proposed while servers of several versions are one group. Each type of command has a
// version; what a server does not know parks it, so a leader proposes only what every voter knows: the types of
// the first format, what the log already holds, and what all voters have announced.

import { ServiceError } from "../model/errors.ts";
import type { AnyCommand } from "./area.ts";

/** Type of command → newest version that a server can apply: what servers announce to each other. */
export type CommandVersions = Readonly<Record<string, number>>;

/** What servers apply that announce nothing, because they are older than announcements. Never changes. */
export const firstVersions: CommandVersions = {
  "kv.set": 1,
  "kv.cas": 1,
  "kv.delete": 1,
  "kv.delete-cas": 1,
  "kv.delete-tree": 1,
  "kv.lock": 1,
  "kv.unlock": 1,
  "session.create": 1,
  "session.destroy": 1,
  "session.expire": 1,
  "catalog.register": 1,
  "catalog.deregister": 1,
  txn: 1,
  "tombstone.reap": 1,
};

/** What all of some servers can apply; undefined stands for one that announced nothing. */
export function commonVersions(
  announced: readonly (CommandVersions | undefined)[],
): CommandVersions {
  const [first = firstVersions, ...others] = announced.map((each) => each ?? firstVersions);
  const common = Object.entries(first).map(([type, version]): [string, number] => [
    type,
    Math.min(version, ...others.map((other) => other[type] ?? 0)),
  ]);
  return Object.fromEntries(common.filter(([, version]) => version > 0));
}

/**
 * A command in the newest version that `known` allows. Throws ServiceError `invalid` when it cannot be said in
 * any of them.
 */
export function expressCommand(
  definition: AnyCommand,
  given: { type: string },
  known: number,
): { version: number; command: { type: string } } {
  const newest = definition.version ?? 1;
  if (known >= newest) return { version: newest, command: given };
  const older = known > 0 ? definition.express?.(given as never, known) : null;
  if (older) return { version: known, command: { type: given.type, ...older } };
  throw new ServiceError(
    "invalid",
    `${given.type} cannot be used yet: an upgrade is in progress, and not every server knows it`,
  );
}
