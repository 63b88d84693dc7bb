// ACL objects in archives. Hashes are bytes there, and times have Go's form.

import {
  aclPolicySchema,
  aclRoleSchema,
  aclTokenSchema,
  managementPolicyId,
} from "../../../model/acl.ts";
import type { AclPolicy, AclRole, AclToken } from "../../../model/acl.ts";
import { integer } from "../../../model/schema.ts";
import { raftIndexes, recordTypes } from "../../archive/format.ts";
import type { AreaArchive, Loading, RecordKind } from "../../archive/kinds.ts";
import { indexed, pack, unpack, type WireStruct } from "../../archive/wire.ts";
import type { TableDefinition } from "../../table.ts";
import { bootstrapTable } from "./bootstrap.ts";
import { tokenHash } from "./hash.ts";
import {
  bodyOf,
  expirationMs,
  type NamedRow,
  policiesIndex,
  policyTable,
  rolesIndex,
  roleTable,
  tokenOf,
  tokensIndex,
  tokenTable,
} from "./rows.ts";

const bytes = { type: { kind: "bytes" } } as const;

const tokenSchema: WireStruct = {
  kind: "struct",
  fields: {
    ...aclTokenSchema.fields,
    ExpirationTime: { type: { kind: "time", optional: true } },
    ExpirationTTL: integer,
    CreateTime: { type: { kind: "time" } },
    Hash: bytes,
  },
};

const tokens: RecordKind = {
  type: recordTypes.aclToken,
  *save(copy) {
    for (const row of copy.rows(tokenTable)) {
      const { create_index: CreateIndex, modify_index: ModifyIndex } = row;
      const record = { ...tokenOf(row), CreateIndex, ModifyIndex };
      yield (packer) => pack(packer, indexed(tokenSchema), record);
    }
  },
  load(loading, body) {
    const packed = unpack(tokenSchema, body) as AclToken;
    const token = packed.AccessorID === "" ? upgraded(loading, packed) : packed;
    loading.table(tokenTable).put({
      secret: token.SecretID,
      accessor: token.AccessorID,
      expires_ms: expirationMs(token),
      ...raftIndexes(loading, body),
      body: bodyOf("token", token),
    });
  },
};

/** Tokens of before Consul 1.4 have no accessor, until a leader gives them one. */
function upgraded(loading: Loading, token: AclToken): AclToken {
  const isBare = token.Type === "management" && (token.Policies ?? []).length === 0;
  const Policies = isBare
    ? [{ ID: managementPolicyId, Name: "global-management" }]
    : token.Policies;
  const complete = { ...token, AccessorID: loading.draw(token.SecretID), Policies };
  return { ...complete, Hash: tokenHash(complete) };
}

/** Objects with an id and a name. */
function namedKind(
  type: number,
  kind: "policy" | "role",
  table: TableDefinition<NamedRow>,
  { fields }: WireStruct,
): RecordKind {
  const schema: WireStruct = { kind: "struct", fields: { ...fields, Hash: bytes } };
  return {
    type,
    *save(copy) {
      for (const row of copy.rows(table)) {
        const { create_index: CreateIndex, modify_index: ModifyIndex } = row;
        const record = { ...(JSON.parse(row.body) as AclPolicy), CreateIndex, ModifyIndex };
        yield (packer) => pack(packer, indexed(schema), record);
      }
    },
    load(loading, body) {
      const object = unpack(schema, body) as AclPolicy | AclRole;
      loading.table(table).put({
        id: object.ID,
        name: object.Name,
        ...raftIndexes(loading, body),
        body: bodyOf(kind, object),
      });
    },
  };
}

const bootstrapIndex = "acl-token-bootstrap";

export const aclArchive: AreaArchive = {
  indexes: [tokensIndex, policiesIndex, rolesIndex],
  kinds: [
    tokens,
    namedKind(recordTypes.aclPolicy, "policy", policyTable, aclPolicySchema),
    namedKind(recordTypes.aclRole, "role", roleTable, aclRoleSchema),
  ],
  ownIndexes: {
    *save(copy) {
      yield [bootstrapIndex, copy.row(bootstrapTable, 1)?.reset_index ?? 0];
    },
    load(loading, name, value) {
      if (name !== bootstrapIndex) return false;
      loading.table(bootstrapTable).put({ id: 1, reset_index: value });
      return true;
    },
  },
};
