// Configurations: their encoding and the single-server changes that lead from one to the next.
//
// Any two majorities of configurations that differ by one voter overlap, which is why one server at
// a time is safe (thesis §4.1) and why a second change must wait until the first is committed. A
// change is a pure function here; when it may be proposed is decided in leader.ts.

import { assert } from "../lib/assert.ts";
import type { Configuration, Member, ServerId } from "./types.ts";

export type ConfigurationChange =
  | { type: "addLearner"; id: ServerId; name: string; address: string }
  | { type: "promote"; id: ServerId }
  | { type: "remove"; id: ServerId }
  /** A server that moved or was renamed; its part in the group stays. */
  | { type: "update"; id: ServerId; name: string; address: string };

/** Why a change was not proposed. behind: the learner still lacks too much of the log. pending:
 * an earlier change, or the first entry of this leader's term, is not committed yet. */
export type ChangeRefusal = "pending" | "behind" | "unknown" | "exists" | "lastVoter" | "transfer";

/** A learner is promoted only when it lacks at most this many entries. */
export const promotionLagEntriesMax = 1024;

export const emptyConfiguration: Configuration = { members: [] };

export function encodeConfiguration(configuration: Configuration): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(configuration));
}

export function decodeConfiguration(data: Uint8Array): Configuration {
  const parsed = JSON.parse(new TextDecoder().decode(data)) as Configuration;
  assert(Array.isArray(parsed.members), "a configuration entry has members");
  return parsed;
}

export function voterIds(configuration: Configuration): ServerId[] {
  return configuration.members.filter((member) => member.voter).map((member) => member.id);
}

export function findMember(configuration: Configuration, id: ServerId): Member | undefined {
  return configuration.members.find((member) => member.id === id);
}

export function isVoter(configuration: Configuration, id: ServerId): boolean {
  return findMember(configuration, id)?.voter === true;
}

/** The configuration after `change`, or why there is none. */
export function changed(
  configuration: Configuration,
  change: ConfigurationChange,
): Configuration | ChangeRefusal {
  const { members } = configuration;
  const member = findMember(configuration, change.id);
  if (change.type === "addLearner") {
    if (member !== undefined) return "exists";
    const { id, name, address } = change;
    return { members: [...members, { id, name, address, voter: false }] };
  }
  if (member === undefined) return "unknown";
  if (change.type === "promote") {
    if (member.voter) return "exists";
    return replaced(configuration, { ...member, voter: true });
  }
  if (change.type === "update") {
    return replaced(configuration, { ...member, name: change.name, address: change.address });
  }
  if (member.voter && voterIds(configuration).length === 1) return "lastVoter";
  return { members: members.filter((other) => other.id !== change.id) };
}

function replaced(configuration: Configuration, member: Member): Configuration {
  return {
    members: configuration.members.map((other) => (other.id === member.id ? member : other)),
  };
}
