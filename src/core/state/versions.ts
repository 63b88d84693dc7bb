// Which commands may be proposed while servers of several versions are one group. Each type of command has a
// version; what a server does not know parks it, so a leader proposes only what every voter knows: the types of
// the first format, what the log already holds, and what all voters have announced.

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
