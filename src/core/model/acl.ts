// Consul's vocabulary of ACLs: tokens, policies, roles, as clients write and read them (semantics §11.1).

import { flag, omitEmpty, raftIndex, stringList, text } from "./schema.ts";
import type { StructType, Type } from "./schema.ts";

/** Names another object by its id, its name, or both; answers have both. */
export interface AclLink {
  ID: string;
  Name: string;
}

export interface ServiceIdentity {
  ServiceName: string;
  Datacenters: string[] | null;
}

export interface NodeIdentity {
  NodeName: string;
  Datacenter: string;
}

/** What tokens and roles grant. */
export interface AclGrants {
  Policies: AclLink[] | null;
  Roles: AclLink[] | null;
  ServiceIdentities: ServiceIdentity[] | null;
  NodeIdentities: NodeIdentity[] | null;
}

export interface AclToken extends AclGrants {
  /** Names the token in public. Legacy tokens that were never upgraded have none. */
  AccessorID: string;
  /** What requests show. */
  SecretID: string;
  Description: string;
  /** Of a legacy token: `client` or `management`; "" for the others. */
  Type: string;
  /** Of a legacy token, in the old syntax. */
  Rules: string;
  Local: boolean;
  /** Auth method whose login made it; "" otherwise. */
  AuthMethod: string;
  /** RFC 3339, or "" for never. */
  ExpirationTime: string;
  CreateTime: string;
  /** Base64 of 32 bytes. */
  Hash: string;
}

export interface AclPolicy {
  ID: string;
  Name: string;
  Description: string;
  Rules: string;
  Datacenters: string[] | null;
  Hash: string;
}

export interface AclRole extends Omit<AclGrants, "Roles"> {
  ID: string;
  Name: string;
  Description: string;
  Hash: string;
}

/** Clients may neither read nor delete or choose ids that begin so. */
export const reservedIdPrefix = "00000000-0000-0000-0000-0000000000";
/** Beyond Consul: whose tokens admit hosts. The policy grants nothing. */
export const joinPolicyName = "proconsul-join";
/** Beyond Consul: what every node that joined may read, because its DNS shows it. */
export const nodePolicyName = "proconsul-node";
export const managementPolicyId = `${reservedIdPrefix}01`;
export const anonymousAccessor = `${reservedIdPrefix}02`;
/** Secret of the token that requests without one have. */
export const anonymousSecret = "anonymous";

function links(goName: string): Type {
  return {
    kind: "list",
    goName: `[]structs.${goName}`,
    item: { kind: "struct", goName: `structs.${goName}`, fields: { ID: text, Name: text } },
  };
}

const serviceIdentities = {
  kind: "list",
  goName: "[]*structs.ACLServiceIdentity",
  item: {
    kind: "struct",
    goName: "structs.ACLServiceIdentity",
    fields: { ServiceName: text, Datacenters: omitEmpty({ type: stringList }) },
  },
} as const satisfies Type;

const nodeIdentities = {
  kind: "list",
  goName: "[]*structs.ACLNodeIdentity",
  item: {
    kind: "struct",
    goName: "structs.ACLNodeIdentity",
    fields: { NodeName: text, Datacenter: text },
  },
} as const satisfies Type;

const policyLinks = omitEmpty({ type: links("ACLTokenPolicyLink") });
const roleLinks = omitEmpty({ type: links("ACLTokenRoleLink") });
const identities = {
  ServiceIdentities: omitEmpty({ type: serviceIdentities }),
  NodeIdentities: omitEmpty({ type: nodeIdentities }),
};
const indexes = { CreateIndex: raftIndex, ModifyIndex: raftIndex };

/** As it is stored; `Type` is for legacy answers only. */
export const aclTokenSchema = {
  kind: "struct",
  goName: "structs.ACLToken",
  fields: {
    AccessorID: text,
    SecretID: text,
    Description: text,
    Policies: policyLinks,
    Roles: roleLinks,
    ...identities,
    Type: omitEmpty(text),
    Rules: omitEmpty(text),
    Local: flag,
    AuthMethod: omitEmpty(text),
    ExpirationTime: omitEmpty(text),
    CreateTime: text,
    Hash: text,
  },
} as const satisfies StructType;

const { Type: _legacyType, ...tokenRequestFields } = aclTokenSchema.fields;

/** What a request says of one. */
export const aclTokenRequestSchema = {
  kind: "struct",
  goName: "struct { ExpirationTTL interface {}; Hash string; *structs.Alias }",
  opaque: "strict",
  fields: {
    ...tokenRequestFields,
    ExpirationTTL: { type: { kind: "any" } },
    ...indexes,
  },
} as const satisfies StructType;

/** Beyond Consul: what a request says of a join token. Its nodes are given what it is given. */
export const joinTokenRequestSchema = {
  kind: "struct",
  goName: "JoinToken",
  fields: {
    Description: text,
    Nodes: { type: stringList },
    TTL: text,
    Policies: policyLinks,
    Roles: roleLinks,
    ServiceIdentities: omitEmpty({ type: serviceIdentities }),
  },
} as const satisfies StructType;

export const aclPolicySchema = {
  kind: "struct",
  goName: "structs.ACLPolicy",
  fields: {
    ID: text,
    Name: text,
    Description: text,
    Rules: text,
    Datacenters: omitEmpty({ type: stringList }),
    Hash: text,
  },
} as const satisfies StructType;

/** How lists show policies: without rules, and with all their members. */
export const aclPolicyStubSchema = {
  kind: "struct",
  goName: "structs.ACLPolicyListStub",
  fields: {
    ID: text,
    Name: text,
    Description: text,
    Datacenters: { type: stringList },
    Hash: text,
  },
} as const satisfies StructType;

export const aclPolicyRequestSchema = {
  kind: "struct",
  goName: "struct { Hash string; *structs.Alias }",
  opaque: "strict",
  fields: { ...aclPolicySchema.fields, ...indexes },
} as const satisfies StructType;

export const aclRoleSchema = {
  kind: "struct",
  goName: "structs.ACLRole",
  fields: {
    ID: text,
    Name: text,
    Description: text,
    Policies: omitEmpty({ type: links("ACLRolePolicyLink") }),
    ...identities,
    Hash: text,
  },
} as const satisfies StructType;

export const aclRoleRequestSchema = {
  kind: "struct",
  goName: "struct { Hash string; *structs.Alias }",
  opaque: "strict",
  fields: { ...aclRoleSchema.fields, ...indexes },
} as const satisfies StructType;
