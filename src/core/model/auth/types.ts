// Consul's vocabulary of auth methods and binding rules, as clients write and read them (http-api §16).

import type { JsonObject } from "../json.ts";
import { omitEmpty, raftIndex, text } from "../schema.ts";
import type { StructType, Type } from "../schema.ts";

/** Whom a datacenter trusts to say who somebody is. */
export interface AuthMethod {
  /** Counts whatever its case. */
  Name: string;
  Type: string;
  DisplayName: string;
  Description: string;
  /** How long tokens of its logins live, in ns; 0: for ever. */
  MaxTokenTTL: number;
  /** `local`, `global` or "", which is `local`. */
  TokenLocality: string;
  /** What the type needs, as it was given. */
  Config: JsonObject | null;
}

/** What a login is granted, if the rule selects it. */
export interface BindingRule {
  ID: string;
  Description: string;
  AuthMethod: string;
  /** Filter expression over the identity; "" selects everybody. */
  Selector: string;
  BindType: string;
  /** May hold interpolations of the identity. */
  BindName: string;
}

const config = { kind: "map", value: { kind: "any" } } as const satisfies Type;

const described = {
  Name: text,
  Type: text,
  DisplayName: omitEmpty(text),
  Description: omitEmpty(text),
};

/** As it is stored and answered. */
export const authMethodSchema = {
  kind: "struct",
  goName: "structs.ACLAuthMethod",
  fields: {
    MaxTokenTTL: omitEmpty({ type: { kind: "duration", written: "text" } }),
    ...described,
    TokenLocality: omitEmpty(text),
    Config: { type: config },
  },
} as const satisfies StructType;

/** As lists show it: `Config` may hold secrets. */
export const authMethodStubSchema = {
  kind: "struct",
  goName: "structs.ACLAuthMethodListStub",
  fields: described,
} as const satisfies StructType;

/** What a request says of one. */
export const authMethodRequestSchema = {
  kind: "struct",
  goName: "struct { MaxTokenTTL interface {}; *structs.Alias }",
  opaque: "strict",
  fields: {
    ...authMethodSchema.fields,
    MaxTokenTTL: { type: { kind: "any" } },
    CreateIndex: raftIndex,
    ModifyIndex: raftIndex,
  },
} as const satisfies StructType;

export const bindingRuleSchema = {
  kind: "struct",
  goName: "structs.ACLBindingRule",
  fields: {
    ID: text,
    Description: text,
    AuthMethod: text,
    Selector: text,
    BindType: text,
    BindName: text,
  },
} as const satisfies StructType;

export const bindingRuleRequestSchema = {
  ...bindingRuleSchema,
  fields: { ...bindingRuleSchema.fields, CreateIndex: raftIndex, ModifyIndex: raftIndex },
} as const satisfies StructType;

/** Somebody who wants a token. */
export interface LoginRequest {
  AuthMethod: string;
  BearerToken: string;
  Meta: Record<string, string> | null;
}

export const loginSchema = {
  kind: "struct",
  goName: "structs.ACLLoginParams",
  fields: {
    AuthMethod: text,
    BearerToken: text,
    Meta: omitEmpty({ type: { kind: "map", value: { kind: "string" } } }),
  },
} as const satisfies StructType;

/** The same name whatever its case. */
export function methodKey(name: string): string {
  return name.toLowerCase();
}
