// Recovery after the majority of a group is lost for good: `raft/peers.json` in the data directory says who the group
// is from now on, as Consul's operators write it. Whatever the log holds counts as committed; a server that held more,
// and is gone, has lost it. Read when a server starts, and deleted once it was done.

import { decodeBody } from "../../src/core/model/decode.ts";
import { flag, structOf, text } from "../../src/core/model/schema.ts";
import type { Sql } from "../../src/core/lib/sql.ts";
import type { Configuration, Member } from "../../src/core/raft/types.ts";
import type { StateMachine } from "../../src/core/state/machine.ts";
import type { OperatorFiles } from "../platform/platform.ts";
import type { RaftStorage } from "./storage.ts";

export const peersFile = "raft/peers.json";
const applyBytesMax = 1_000_000;

interface Peer {
  id: string;
  address: string;
  non_voter: boolean;
}

const peerSchema = structOf<Peer>()("raft.configEntry", {
  id: text,
  address: text,
  non_voter: flag,
});
const peersType = { kind: "list", item: peerSchema, goName: "[]raft.configEntry" } as const;

export interface RecoveryParts {
  files: OperatorFiles;
  sql: Sql;
  storage: RaftStorage;
  machine: StateMachine;
  log(level: "info" | "warn", line: string): void;
}

/** Throws an Error that says why the group cannot be what the file says; the file stays. */
export function recoverPeers({ files, sql, storage, machine, log }: RecoveryParts): void {
  const content = files.read(peersFile);
  if (content === null) return;
  if (storage.empty) {
    log(
      "warn",
      "deleted peers.json file: a server that starts for the first time has nothing to recover",
    );
    return files.remove(peersFile);
  }
  log("info", "found peers.json file, recovering Raft configuration...");
  const members = parsePeers(content, storage.latestConfiguration().configuration);
  if (storage.installing !== null) {
    throw new Error(
      "recovery failed: this server has only a part of a snapshot; use another one's data",
    );
  }
  sql.transaction(() => {
    applyAll(storage, machine);
    const index = storage.lastIndex();
    const term = storage.term(index) ?? 0;
    storage.beginInstalling({ index, term });
    storage.finishInstalling(index, term, { index, configuration: { members } });
  });
  files.remove(peersFile);
  log("info", "deleted peers.json file after successful recovery");
}

function applyAll(storage: RaftStorage, machine: StateMachine): void {
  const end = storage.lastIndex() + 1;
  while (machine.appliedIndex + 1 < end) {
    const entries = storage.entries(machine.appliedIndex + 1, end, applyBytesMax);
    machine.applyBatch(
      entries.map(({ index, kind, data }) => ({
        index,
        command: kind === "command" ? data : null,
      })),
    );
    if (machine.parkedAt !== null) {
      throw new Error("recovery failed: the log holds commands of a newer version than this one");
    }
  }
}

/**
 * The members that `content` lists (hashicorp/raft's configuration file of protocol 3), named as in `known`; whom it
 * does not know introduces itself. Throws an Error with Consul's text.
 */
export function parsePeers(content: string, known: Configuration): Member[] {
  try {
    const peers = decodeBody(peersType, content, "ignore") as Peer[];
    const members = peers.map(({ id, address, non_voter: nonVoter }) => {
      const name = known.members.find((member) => member.id === id)?.name ?? "";
      return { id, name, address, voter: !nonVoter };
    });
    checkMembers(members);
    return members;
  } catch (failure) {
    const why = (failure as Error).message;
    throw new Error(`recovery failed to parse peers.json: ${why}`, { cause: failure });
  }
}

function checkMembers(members: readonly Member[]): void {
  const said = members.map(
    ({ id, address, voter }) => `{${voter ? "Voter" : "Nonvoter"} ${id} ${address}}`,
  );
  const all = `{[${said.join(" ")}]}`;
  const ids = new Set<string>();
  const addresses = new Set<string>();
  for (const { id, address } of members) {
    if (id === "") throw new Error(`Empty ID in configuration: ${all}`);
    if (address === "") throw new Error(`Empty address in configuration: ${said.join(" ")}`);
    if (ids.has(id)) throw new Error(`Found duplicate ID in configuration: ${id}`);
    if (addresses.has(address)) {
      throw new Error(`Found duplicate address in configuration: ${address}`);
    }
    ids.add(id);
    addresses.add(address);
  }
  if (!members.some(({ voter }) => voter)) {
    throw new Error(`Need at least one voter in configuration: ${all}`);
  }
}
