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

const config: Type = { kind: "map", value: { kind: "any" } };

const described = {
  Name: text,
  Type: text,
  DisplayName: omitEmpty(text),
  Description: omitEmpty(text),
};

/** As it is stored and answered. */
export const authMethodSchema: StructType = {
  kind: "struct",
  goName: "structs.ACLAuthMethod",
  fields: {
    MaxTokenTTL: omitEmpty({ type: { kind: "duration", written: "text" } }),
    ...described,
    TokenLocality: omitEmpty(text),
    Config: { type: config },
  },
};

/** As lists show it: `Config` may hold secrets. */
export const authMethodStubSchema: StructType = {
  kind: "struct",
  goName: "structs.ACLAuthMethodListStub",
  fields: described,
};

/** What a request says of one. */
export const authMethodRequestSchema: StructType = {
  kind: "struct",
  goName: "struct { MaxTokenTTL interface {}; *structs.Alias }",
  opaque: "strict",
  fields: {
    ...authMethodSchema.fields,
    MaxTokenTTL: { type: { kind: "any" } },
    CreateIndex: raftIndex,
    ModifyIndex: raftIndex,
  },
};

export const bindingRuleSchema: StructType = {
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
};

export const bindingRuleRequestSchema: StructType = {
  ...bindingRuleSchema,
  fields: { ...bindingRuleSchema.fields, CreateIndex: raftIndex, ModifyIndex: raftIndex },
};

/** Somebody who wants a token. */
export interface LoginRequest {
  AuthMethod: string;
  BearerToken: string;
  Meta: Record<string, string> | null;
}

export const loginSchema: StructType = {
  kind: "struct",
  goName: "structs.ACLLoginParams",
  fields: {
    AuthMethod: text,
    BearerToken: text,
    Meta: omitEmpty({ type: { kind: "map", value: { kind: "string" } } }),
  },
};

/** The same name whatever its case. */
export function methodKey(name: string): string {
  return name.toLowerCase();
}
