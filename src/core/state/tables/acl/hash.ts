// Hashes by which Consul tells whether an object changed: BLAKE2b-256 over what users set, so that tokens and policies
// that move between Consul and here keep theirs.

import { blake2b } from "@noble/hashes/blake2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";

import { encodeBase64 } from "../../../lib/base64.ts";
import type { AclPolicy, AclRole, AclToken } from "../../../model/acl.ts";

export function tokenHash(token: AclToken): string {
  return hashOf([
    token.Description,
    token.Rules,
    token.Local ? "local" : "global",
    ...(token.Policies ?? []).map(({ ID }) => ID),
    ...(token.Roles ?? []).map(({ ID }) => ID),
    ...identities(token),
  ]);
}

export function policyHash({ Name, Description, Rules, Datacenters }: AclPolicy): string {
  return hashOf([Name, Description, Rules, ...(Datacenters ?? [])]);
}

export function roleHash(role: AclRole): string {
  const policies = (role.Policies ?? []).map(({ ID }) => ID);
  return hashOf([role.Name, role.Description, ...policies, ...identities(role)]);
}

type Identities = Pick<AclToken, "ServiceIdentities" | "NodeIdentities">;

function identities({ ServiceIdentities, NodeIdentities }: Identities): string[] {
  return [
    ...(ServiceIdentities ?? []).flatMap((each) => [each.ServiceName, ...(each.Datacenters ?? [])]),
    ...(NodeIdentities ?? []).flatMap((each) => [each.NodeName, each.Datacenter]),
  ];
}

function hashOf(parts: readonly string[]): string {
  return encodeBase64(blake2b(utf8ToBytes(parts.join("")), { dkLen: 32 }));
}
