// Mistakes that implementations of Raft are known to make, planted one at a time. Each must be
// caught by the checkers; a simulator that misses one proves nothing. None of them has a hook in
// the core: they rewrite messages, replace a method of one object, or mislead the driver.

import { encodeConfiguration } from "../../src/core/raft/membership.ts";
import type { Message } from "../../src/core/raft/types.ts";
import type { Bug } from "./bug.ts";
import type { Instance } from "./instance.ts";
import { lan } from "../../src/core/raft/timing.ts";
import { edgeHurried } from "./options.ts";
import type { FaultPeriods, SimOptions } from "./options.ts";

const noFaults: FaultPeriods = {
  partitionMs: 0,
  hibernateMs: 0,
  crashMs: 0,
  twinMs: 0,
  deployMs: 0,
  exceptionMs: 0,
  slowDiskMs: 0,
  clockStepEveryMs: 0,
  membershipMs: 0,
  compactMs: 0,
  upgradeMs: 0,
};

/** Small, busy and rough. */
function rough(options: SimOptions, faults: Partial<FaultPeriods>): SimOptions {
  const { network } = options;
  return {
    ...options,
    servers: 3,
    keys: 1,
    drift: Math.min(options.drift, 0.1),
    faults: { ...options.faults, clockStepEveryMs: 0, twinMs: 0, ...faults },
    network: { ...network, loss: 0.05, late: 0.05 },
  };
}

function beforeStep(instance: Instance, action: (message: Message) => void): void {
  const { raft } = instance;
  const step = raft.step.bind(raft);
  raft.step = (message, nowMs) => {
    action(message);
    step(message, nowMs);
  };
}

export const bugs: Bug<Instance>[] = [
  {
    name: "an entry of an older term is committed by counting (§5.4.2)",
    adjust: (options) => ({
      ...rough(options, { ...noFaults, crashMs: 300, partitionMs: 300 }),
      preset: "lan",
      timing: { ...lan, heartbeatMs: 40, electionMinMs: 100, electionMaxMs: 200, leaseMs: 75 },
      servers: 5,
      turmoilMs: 20_000,
      diskMaxMs: 2,
      network: { ...options.network, loss: 0.02, late: 0, delayMaxMs: 6 },
    }),
    instance: ({ raft: { node } }) => {
      node.mayCommit = (index) => index > node.log.commitIndex;
      // Small appends, which are legal, let entries of older terms travel alone.
      const slice = node.log.slice.bind(node.log);
      node.log.slice = (from, toExclusive, bytesMax) => {
        return slice(from, Math.min(toExclusive, from + 1), bytesMax);
      };
    },
    // As if most appends with entries of the leader's own term were lost.
    outgoing: ({ world }, message) => {
      if (message.type !== "append" || world.random.next() < 0.05) return message;
      return message.entries[0]?.term === message.term ? { ...message, entries: [] } : message;
    },
  },
  {
    name: "the vote is forgotten at restart, and with it the silence after it",
    adjust: (options) => ({
      ...rough(options, { ...noFaults, hibernateMs: 60 }),
      preset: "lan",
      timing: { ...lan, heartbeatMs: 80, electionMinMs: 100, electionMaxMs: 110, leaseMs: 75 },
      network: { ...options.network, loss: 0, late: 0.2, delayMaxMs: 40, lateMs: 200 },
      turmoilMs: 15_000,
    }),
    hardState: (hardState) => ({ ...hardState, votedFor: null }),
    instance: ({ raft: { node } }) => {
      node.silentUntilMs = node.now;
    },
  },
  {
    name: "a server votes twice in one term",
    instance: (instance) => {
      beforeStep(instance, (message) => {
        if (message.type === "vote") instance.raft.node.votedFor = null;
      });
    },
  },
  {
    name: "a vote goes to a candidate with a shorter log (§5.4.1)",
    adjust: (options) => rough(options, { partitionMs: 600, crashMs: 1000 }),
    instance: ({ raft: { node } }) => {
      node.lastPosition = () => ({ index: 0, term: 0 });
    },
  },
  {
    name: "a leader reads from its lease after its term has passed",
    adjust: (options) => rough(options, { partitionMs: 800 }),
    instance: (instance) => {
      const { raft } = instance;
      const readIndex = raft.readIndex.bind(raft);
      raft.readIndex = (nowMs, options) => {
        const lease = raft.node.leading?.lease;
        if (lease !== undefined) lease.valid = () => lease.confirmedRound > 0;
        return readIndex(nowMs, options);
      };
    },
  },
  {
    name: "conflicting entries are not truncated (§5.3)",
    instance: ({ raft: { node } }) => {
      node.log.merge = (entries) => {
        for (const entry of entries) if (entry.index > node.log.lastIndex) node.log.append(entry);
        return null;
      };
    },
  },
  {
    name: "memory is ahead of the disk after an exception",
    swallowExceptions: true,
    adjust: (options) => rough(options, { exceptionMs: 500, crashMs: 0, hibernateMs: 0 }),
  },
  {
    name: "a quiescent follower answers default reads",
    servesDefault: true,
  },
  {
    name: "an append is acknowledged that did not match",
    outgoing: (_, message) => {
      const lies = message.type === "appendReply" && message.outcome === "conflict";
      return lies ? { ...message, outcome: "matched" } : message;
    },
  },
  {
    name: "a follower commits what it has beyond what the append matched",
    adjust: (options) => rough(options, { partitionMs: 600, crashMs: 900 }),
    instance: (instance) => {
      const { raft } = instance;
      const step = raft.step.bind(raft);
      raft.step = (message, nowMs) => {
        step(message, nowMs);
        const { log, term } = raft.node;
        if (message.type !== "append" || message.term !== term) return;
        log.commitIndex = Math.max(log.commitIndex, Math.min(message.commit, log.lastIndex));
      };
    },
  },
  {
    name: "a read-index is given before an entry of the leader's term is committed",
    adjust: (options) => rough(options, { crashMs: 500, deployMs: 900, partitionMs: 700 }),
    instance: ({ raft }) => {
      const readIndex = raft.readIndex.bind(raft);
      raft.readIndex = (nowMs, options) => {
        if (raft.node.leading !== null) Object.assign(raft.node.leading, { termStartIndex: 0 });
        return readIndex(nowMs, options);
      };
    },
  },
  {
    name: "messages leave before the write they speak of is durable",
    sendBeforePersist: true,
    adjust: (options) => rough(options, { crashMs: 400, slowDiskMs: 400 }),
  },
  {
    name: "an answer to an earlier instance is taken for one's own",
    adjust: (options) => rough(options, { crashMs: 500, twinMs: 0 }),
    incoming: (instance, message) => {
      if (!("toIncarnation" in message)) return message;
      return { ...message, toIncarnation: instance.incarnation };
    },
  },
  {
    name: "two servers are added at once",
    adjust: (options) => {
      return {
        ...rough(options, { membershipMs: 900, partitionMs: 500, crashMs: 900 }),
        spares: 2,
      };
    },
    instance: ({ raft, world }) => {
      raft.proposeConfiguration = () => {
        const { node } = raft;
        if (node.leading === null) return { notLeader: null };
        const known = node.membership.configuration.members.length;
        const ids = ["s1", "s2", "s3", "s4", "s5"].slice(0, known === 3 ? 5 : 3);
        const configuration = { members: ids.map((id) => world.member(id, true)) };
        const entry = node.append("configuration", encodeConfiguration(configuration));
        node.adopt({ index: entry.index, configuration });
        return { firstIndex: entry.index, lastIndex: entry.index, term: node.term };
      };
    },
  },
  {
    name: "a half-received snapshot is served",
    servesWhileInstalling: true,
    adjust: (options) => {
      return { ...rough(options, { compactMs: 300, partitionMs: 700 }), keys: 4 };
    },
  },
  {
    name: "a snapshot is cut when it is opened, and stands for the index at which it ends",
    adjust: (options) => rough(options, { ...noFaults, compactMs: 300, partitionMs: 700 }),
    instance: ({ view: { machine } }) => {
      const snapshot = machine.snapshot.bind(machine);
      machine.snapshot = () => {
        const cursor = snapshot();
        const pieces = [cursor.next()];
        while (pieces.at(-1)?.last === false) pieces.push(cursor.next());
        cursor.close();
        const nothing = { data: new TextEncoder().encode("[]"), last: true };
        return { next: () => pieces.shift() ?? nothing, close: () => undefined };
      };
    },
  },
  {
    name: "a server passes over a command that its code does not know",
    adjust: (options) => rough(options, { ...noFaults, upgradeMs: 3000 }),
    instance: ({ view: { machine } }) => {
      const apply = machine.apply.bind(machine);
      const never = { get: () => null, set: () => {} };
      Object.defineProperty(machine, "parkedAt", never);
      machine.apply = (entries, version) => {
        return entries.map((entry) => apply([entry], version)[0] ?? null);
      };
    },
  },
  {
    name: "a watchdog does not say how far its follower has come",
    adjust: (options) => ({ ...rough(options, {}), preset: "edge", timing: edgeHurried }),
    incoming: (_, message) => {
      return message.type === "probe" ? { ...message, commit: Number.MAX_SAFE_INTEGER } : message;
    },
  },
  {
    name: "a round for reads is not preceded by a write, where old instances may run on",
    adjust: (options) => ({
      ...rough(options, { ...noFaults, twinMs: 1500, partitionMs: 3000 }),
      preset: "edge",
      timing: edgeHurried,
      turmoilMs: 30_000,
    }),
    instance: ({ raft }) => {
      const takeReady = raft.takeReady.bind(raft);
      raft.takeReady = (nowMs) => {
        const ready = takeReady(nowMs);
        ready.fence = false;
        return ready;
      };
    },
  },
];
