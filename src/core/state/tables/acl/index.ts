// Access control lists: tokens, the policies and roles they are given, and how a datacenter gets its first ones.

import { aclPolicySchema, aclRoleSchema, aclTokenSchema } from "../../../model/acl.ts";
import type { AclPolicy, AclRole, AclToken } from "../../../model/acl.ts";
import { ServiceError } from "../../../model/errors.ts";
import { flag, integer, text } from "../../../model/schema.ts";
import type { StructType } from "../../../model/schema.ts";
import { admitAll, command, defineArea, type Admission } from "../../area.ts";
import { aclArchive } from "./archive.ts";
import { bootstrap, bootstrapTable, initialize } from "./bootstrap.ts";
import { cloneLegacy, destroyLegacy, setLegacy, type LegacyAcl } from "./legacy.ts";
import { joinNode } from "./join.ts";
import { deletePolicy, deleteRole, setPolicy, setRole } from "./policies.ts";
import { aclReads } from "./reads.ts";
import { policyTable, roleTable, tokenTable } from "./rows.ts";
import { cloneToken, createToken, deleteToken, expireToken, updateToken } from "./tokens.ts";

/** Whoever changes ACLs needs `acl:write`. */
function forAdministrators<Given>(given: Given, { state, permit }: Admission): Given {
  requireEnabled({ state });
  permit("acl", "", "write");
  return given;
}

function requireEnabled({ state }: Pick<Admission, "state">): void {
  if (!state.acl.enabled) throw new ServiceError("acl-disabled", "ACL support disabled");
}

const token = { type: aclTokenSchema };
const ttlNs = { type: { kind: "float" } } as const;
const cloneSchema: StructType = {
  kind: "struct",
  goName: "clone",
  fields: { AccessorID: text, SecretID: text, Description: text },
};
const legacySchema: StructType = {
  kind: "struct",
  goName: "structs.ACL",
  fields: { ID: text, Name: text, Type: text, Rules: text },
};

type Clone = Pick<AclToken, "AccessorID" | "SecretID" | "Description">;

export const acl = defineArea({
  name: "acl",
  archive: aclArchive,
  tables: [policyTable, roleTable, tokenTable, bootstrapTable],
  commands: {
    /** Proposed by a leader whose datacenter lacks what every one with ACLs has. */
    "acl.initialize": command<{ master: string; accessor: string }, true>({
      shape: { master: text, accessor: text },
      admit: admitAll,
      apply: initialize,
    }),
    "acl.bootstrap": command<{ accessor: string; secret: string; resetIndex: number }, string>({
      shape: { accessor: text, secret: text, resetIndex: integer },
      admit: (given, admission) => {
        requireEnabled(admission);
        // Consul's word for it: a secondary's first token is the primary's.
        const { primary } = admission.state.acl;
        if (primary !== undefined) throw new ServiceError("invalid", "ACL support disabled");
        return given;
      },
      apply: bootstrap,
    }),
    "acl.token.create": command<{ token: AclToken; ttlNs: number }, string>({
      shape: { token, ttlNs },
      admit: forAdministrators,
      apply: createToken,
    }),
    "acl.token.update": command<{ token: AclToken; ttlNs: number }, string>({
      shape: { token, ttlNs },
      admit: forAdministrators,
      apply: updateToken,
    }),
    "acl.token.clone": command<{ accessor: string; clone: Clone }, string>({
      shape: { accessor: text, clone: { type: cloneSchema } },
      admit: forAdministrators,
      apply: cloneToken,
    }),
    "acl.token.delete": command<{ accessor: string; bearer: string }, true>({
      shape: { accessor: text, bearer: text },
      admit: (given, admission) => {
        forAdministrators(given, admission);
        return { ...given, bearer: admission.bearer };
      },
      apply: (change, { accessor, bearer }) => deleteToken(change, accessor, bearer),
    }),
    /** Proposed by the leader when the token's time is over. */
    "acl.token.expire": command<{ accessor: string }, true>({
      shape: { accessor: text },
      admit: admitAll,
      apply: (change, { accessor }) => expireToken(change, accessor),
    }),
    /** Beyond Consul: answers the token of a node that joins. */
    "acl.node.join": joinNode,
    "acl.policy.set": command<{ policy: AclPolicy; create: boolean }, string>({
      shape: { policy: { type: aclPolicySchema }, create: flag },
      admit: forAdministrators,
      apply: setPolicy,
    }),
    "acl.policy.delete": command<{ id: string }, true>({
      shape: { id: text },
      admit: forAdministrators,
      apply: (change, { id }) => deletePolicy(change, id),
    }),
    "acl.role.set": command<{ role: AclRole; create: boolean }, string>({
      shape: { role: { type: aclRoleSchema }, create: flag },
      admit: forAdministrators,
      apply: setRole,
    }),
    "acl.role.delete": command<{ id: string }, true>({
      shape: { id: text },
      admit: forAdministrators,
      apply: (change, { id }) => deleteRole(change, id),
    }),
    /** Answers the id. */
    "acl.legacy.set": command<{ acl: LegacyAcl; accessor: string }, string>({
      shape: { acl: { type: legacySchema }, accessor: text },
      admit: forAdministrators,
      apply: (change, given) => setLegacy(change, given.acl, given.accessor),
    }),
    "acl.legacy.clone": command<{ secret: string; clone: string; accessor: string }, string>({
      shape: { secret: text, clone: text, accessor: text },
      admit: forAdministrators,
      apply: cloneLegacy,
    }),
    "acl.legacy.destroy": command<{ secret: string }, true>({
      shape: { secret: text },
      admit: forAdministrators,
      apply: (change, { secret }) => destroyLegacy(change, secret),
    }),
  },
  reads: aclReads,
});
