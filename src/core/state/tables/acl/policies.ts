// Making, changing and deleting policies and roles (semantics §11.1).

import { RulesError, parseRules } from "../../../acl/rules.ts";
import {
  aclPolicySchema,
  aclPolicyStubSchema,
  aclRoleSchema,
  managementPolicyId,
  type AclPolicy,
  type AclRole,
} from "../../../model/acl.ts";
import { encode } from "../../../model/schema.ts";
import { uuidProblem } from "../../../model/uuid.ts";
import { withIndexes } from "../../rows.ts";
import type { Change, State } from "../../state.ts";
import { currentLinks, nodeIdentities, policyLinks, refuse, serviceIdentities } from "./grants.ts";
import { policyHash, roleHash } from "./hash.ts";
import { findPolicy, findRole, policyNamed, policyOf, putPolicy, putRole } from "./rows.ts";
import { removePolicy, removeRole, roleNamed, roleOf } from "./rows.ts";
import type { NamedRow } from "./rows.ts";

const policyName = /^[A-Za-z0-9\-_]{1,128}$/;
const roleName = /^[A-Za-z0-9\-_]{1,256}$/;
const allowedInNames = "Only alphanumeric characters, '-' and '_' are allowed";

export interface PolicyRequest {
  policy: AclPolicy;
  /** Its id was drawn for a new policy. */
  create: boolean;
}

/** Answers the policy as JSON text. */
export function setPolicy(change: Change, { policy, create }: PolicyRequest): string {
  const { ID: id, Name: name, Rules: rules } = policy;
  if (name === "") refuse("Invalid Policy: no Name is set");
  if (!policyName.test(name)) refuse(`Invalid Policy: invalid Name. ${allowedInNames}`);
  const named = policyNamed(change, name);
  if (create) {
    if (named) refuse(`Invalid Policy: A Policy with Name "${name}" already exists`);
    requireRules(rules);
    return encodePolicy(putPolicy(change, withPolicyHash(policy)));
  }
  if (uuidProblem(id) !== null) refuse("Policy ID invalid UUID");
  const row = findPolicy(change, id);
  if (!row) refuse(`cannot find policy ${id}`);
  // Consul refuses a policy its own name in another case, too.
  if (named && name !== row.name) {
    refuse(`Invalid Policy: A policy with name "${name}" already exists`);
  }
  if (row.id === managementPolicyId) keepBuiltIn(policyOf(row), policy);
  requireRules(rules);
  return encodePolicy(putPolicy(change, withPolicyHash({ ...policy, ID: row.id }), row));
}

function keepBuiltIn(known: AclPolicy, given: AclPolicy): void {
  const builtIn = "builtin global-management policy";
  if (given.Datacenters !== null && given.Datacenters.length > 0) {
    refuse(`Changing the Datacenters of the ${builtIn} is not permitted`);
  }
  if (given.Rules !== known.Rules) {
    refuse(`Changing the Rules for the ${builtIn} is not permitted`);
  }
}

function withPolicyHash(policy: AclPolicy): AclPolicy {
  return { ...policy, Hash: policyHash(policy) };
}

/** Throws ServiceError for what no policy can say. */
export function requireRules(rules: string, prefix = ""): void {
  try {
    parseRules(rules);
  } catch (failure) {
    if (!(failure instanceof RulesError)) throw failure;
    refuse(prefix + failure.message);
  }
}

/** Unknown ones are fine. What linked to it is as if it did not. */
export function deletePolicy(change: Change, id: string): true {
  const row = findPolicy(change, id);
  if (row?.id === managementPolicyId) {
    refuse("Delete operation not permitted on the builtin global-management policy");
  }
  if (row) removePolicy(change, row);
  return true;
}

export function encodePolicy(row: NamedRow): string {
  return withIndexes(encode(aclPolicySchema, policyOf(row)), row);
}

/** As lists show it. */
export function encodePolicyStub(row: NamedRow): string {
  const { Rules: _, ...stub } = policyOf(row);
  return withIndexes(encode(aclPolicyStubSchema, stub), row);
}

export interface RoleRequest {
  role: AclRole;
  /** Its id was drawn for a new role. */
  create: boolean;
}

/** Answers the role as JSON text. */
export function setRole(change: Change, { role, create }: RoleRequest): string {
  const { ID: id, Name: name } = role;
  if (name === "") refuse("Invalid Role: no Name is set");
  if (!roleName.test(name)) refuse(`Invalid Role: invalid Name. ${allowedInNames}`);
  const named = roleNamed(change, name);
  let row: NamedRow | undefined;
  if (create) {
    if (named) refuse(`Invalid Role: A Role with Name "${name}" already exists`);
  } else {
    if (uuidProblem(id) !== null) refuse("Role ID invalid UUID");
    row = findRole(change, id);
    if (!row) refuse(`cannot find role ${id}`);
    if (named && name !== row.name) {
      refuse(`Invalid Role: A role with name "${name}" already exists`);
    }
  }
  const granted = {
    ...role,
    ID: row?.id ?? id,
    Policies: policyLinks(change, role.Policies, "role"),
    ServiceIdentities: serviceIdentities(role.ServiceIdentities, "role", false),
    NodeIdentities: nodeIdentities(role.NodeIdentities, "role"),
  };
  return encodeRole(change, putRole(change, { ...granted, Hash: roleHash(granted) }, row));
}

/** Unknown ones are fine. */
export function deleteRole(change: Change, id: string): true {
  const row = findRole(change, id);
  if (row) removeRole(change, row);
  return true;
}

export function encodeRole(state: State, row: NamedRow): string {
  const role = roleOf(row);
  const Policies = currentLinks(role.Policies, (id) => findPolicy(state, id));
  return withIndexes(encode(aclRoleSchema, { ...role, Policies }), row);
}
