// Hosts that join a deployment: whoever holds a join token gets a token for one node. A join token is a token with a
// policy that grants nothing; what else it is given, the nodes that join by it are given, too. A node's token may do
// what a node identity may, and is revoked like every token.

import { sha256 } from "@noble/hashes/sha2.js";

import type { AclToken } from "../../../model/acl.ts";
import { joinPolicyName, nodePolicyName } from "../../../model/acl.ts";
import { ServiceError } from "../../../model/errors.ts";
import { text } from "../../../model/schema.ts";
import { goTime } from "../../../model/time.ts";
import { uuidProblem } from "../../../model/uuid.ts";
import { type Admission, command } from "../../area.ts";
import type { State } from "../../state.ts";
import { checkOf, findCheck } from "../catalog/check-rows.ts";
import { findNode } from "../catalog/node-rows.ts";
import { emptyToken } from "./bootstrap.ts";
import { tokenHash } from "./hash.ts";
import { findToken, isExpired, policyNamed, putToken, removeToken, tokenOf } from "./rows.ts";
import { tokenByAccessor } from "./rows.ts";
import { encodeToken } from "./tokens.ts";

export interface JoinRequest {
  /** Secret of the join token. */
  join: string;
  node: string;
  nodeId: string;
  /** Of the node's token, drawn by whoever proposes. */
  secret: string;
}

/** The node's token, as JSON text. Joining again, under the same name, replaces it. */
export const joinNode = command<JoinRequest, string>({
  shape: { join: text, node: text, nodeId: text, secret: text },
  admit: (given, { state }: Admission) => {
    joinTokenOf(state, given.join, state.meta.clockMs);
    return given;
  },
  apply: (change, { join, node, nodeId, secret }) => {
    const by = joinTokenOf(change, join, change.nowMs);
    checkNode(change, node, nodeId);
    const accessor = nodeTokenAccessor(change.datacenter, node);
    const before = tokenByAccessor(change, accessor);
    if (before) removeToken(change, before);
    const shared = policyNamed(change, nodePolicyName);
    const policies = [
      ...(shared ? [{ ID: shared.id, Name: shared.name }] : []),
      ...(by.Policies ?? []).filter(({ Name }) => Name !== joinPolicyName),
    ];
    const token: AclToken = {
      ...emptyToken,
      AccessorID: accessor,
      SecretID: secret,
      Description: `Node ${node} (${nodeId}), joined by ${by.AccessorID}`,
      Policies: policies.length === 0 ? null : policies,
      Roles: by.Roles,
      ServiceIdentities: by.ServiceIdentities,
      NodeIdentities: [{ NodeName: node, Datacenter: change.datacenter }],
      Local: true,
      CreateTime: goTime(change.nowMs),
    };
    return encodeToken(change, putToken(change, { ...token, Hash: tokenHash(token) }));
  },
});

/** The same for the same node: there is one token a name. */
export function nodeTokenAccessor(datacenter: string, node: string): string {
  const name = new TextEncoder().encode(`proconsul node ${datacenter} ${node}`);
  const hex = Array.from(sha256(name), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const groups = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `a${hex.slice(17, 20)}`,
  ];
  return [...groups, hex.slice(20, 32)].join("-");
}

/** Throws ServiceError. */
function joinTokenOf(state: State, secret: string, nowMs: number): AclToken {
  if (!state.acl.enabled) throw new ServiceError("acl-disabled", "ACL support disabled");
  const row = findToken(state, secret);
  const policy = policyNamed(state, joinPolicyName);
  const token = row && !isExpired(row, nowMs) ? tokenOf(row) : null;
  const isOne = policy && token?.Policies?.some(({ ID }) => ID === policy.id);
  if (token && isOne) return token;
  throw new ServiceError("permission-denied", "Permission denied: the join token was revoked");
}

/** Throws ServiceError. A name that a live node has is nobody else's. */
function checkNode(state: State, name: string, id: string): void {
  if (name === "" || name.length > 253) {
    throw new ServiceError("bad-request", "the name of a node has 1 to 253 characters");
  }
  if (uuidProblem(id) !== null) {
    throw new ServiceError("bad-request", `the id of a node is a UUID, not ${JSON.stringify(id)}`);
  }
  const node = findNode(state, name);
  const check = node && findCheck(state, name, "serfHealth");
  const isLive = check && checkOf(check).Status === "passing";
  if (!isLive || node.id_key === null || node.id_key === id.toLowerCase()) return;
  const held = `member name "${name}" is held by the live member with id ${node.id_key}`;
  throw new ServiceError("permission-denied", `Permission denied: ${held}`);
}
