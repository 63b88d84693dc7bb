// Each kind of thing that the ACL system keeps, in the lines and the JSON that Consul prints of it.

import { indentedJson } from "../../json.ts";
import { block, facts, hex, indented, type Kind, timeText } from "./show.ts";
import type { AuthMethod, BindingRule, Grants, Policy, Role, Token } from "./types.ts";

const tokenColumn = 18;
const column = 14;
const methodColumn = 15;

function indexes(
  { CreateIndex, ModifyIndex }: { CreateIndex: number; ModifyIndex: number },
  meta: boolean,
): [string, number][] {
  return meta
    ? [
        ["Create Index", CreateIndex],
        ["Modify Index", ModifyIndex],
      ]
    : [];
}

function hashAndIndexes(
  thing: { Hash: string; CreateIndex: number; ModifyIndex: number },
  meta: boolean,
): [string, string | number][] {
  return meta ? [["Hash", hex(thing.Hash)], ...indexes(thing, meta)] : [];
}

function grants(thing: Grants & Pick<Token, "Roles">): string {
  const link = ({ ID, Name }: { ID?: string; Name?: string }): string => `${ID} - ${Name}`;
  return [
    block("Policies", (thing.Policies ?? []).map(link)),
    block("Roles", (thing.Roles ?? []).map(link)),
    block(
      "Service Identities",
      (thing.ServiceIdentities ?? []).map(({ ServiceName, Datacenters }) => {
        const where = Datacenters && Datacenters.length > 0 ? Datacenters.join(", ") : "all";
        return `${ServiceName} (Datacenters: ${where})`;
      }),
    ),
    block(
      "Node Identities",
      (thing.NodeIdentities ?? []).map(
        ({ NodeName, Datacenter }) => `${NodeName} (Datacenter: ${Datacenter})`,
      ),
    ),
  ].join("");
}

function tokenFacts(token: Token, meta: boolean, isListed: boolean): string {
  return facts(tokenColumn, [
    ["AccessorID", token.AccessorID],
    isListed ? null : ["SecretID", token.SecretID],
    ["Description", token.Description],
    ["Local", token.Local],
    token.AuthMethod ? ["Auth Method", token.AuthMethod] : null,
    ["Create Time", timeText(token.CreateTime)],
    token.ExpirationTime ? ["Expiration Time", timeText(token.ExpirationTime)] : null,
    isListed ? ["Legacy", token.Legacy ?? false] : null,
    ...hashAndIndexes(token, meta),
  ]);
}

export const tokenKind: Kind<Token> = {
  members: [
    ...(["CreateIndex", "ModifyIndex", "AccessorID", "SecretID", "Description"] as const),
    ...(["Policies", "Roles", "ServiceIdentities", "NodeIdentities", "Local"] as const),
    ...(["AuthMethod", "ExpirationTime", "CreateTime", "Hash", "Legacy", "Rules"] as const),
  ],
  text: (token, meta) => {
    const rules = token.Rules ? `Rules:\n${token.Rules}\n` : "";
    return tokenFacts(token, meta, false) + grants(token) + rules;
  },
  entry: (token, meta) => `${tokenFacts(token, meta, true)}${grants(token)}\n`,
};

function policyFacts(policy: Policy, meta: boolean): [string, string | number][] {
  return [
    ["Description", policy.Description],
    ["Datacenters", (policy.Datacenters ?? []).join(", ")],
    ...hashAndIndexes(policy, meta),
  ];
}

export const policyKind: Kind<Policy> = {
  members: [
    ...(["ID", "Name", "Description", "Rules", "Datacenters"] as const),
    ...(["Hash", "CreateIndex", "ModifyIndex"] as const),
  ],
  empty: { Datacenters: null },
  text: (policy, meta) => {
    const head = [["ID", policy.ID] as const, ["Name", policy.Name] as const];
    return `${facts(column, [...head, ...policyFacts(policy, meta)])}Rules:\n${policy.Rules ?? ""}`;
  },
  entry: (policy, meta) => {
    const lines = facts(column, [["ID", policy.ID], ...policyFacts(policy, meta)]);
    return `${policy.Name}:\n${indented(lines)}`;
  },
};

function roleFacts(role: Role, meta: boolean): [string, string | number][] {
  return [["Description", role.Description], ...hashAndIndexes(role, meta)];
}

export const roleKind: Kind<Role> = {
  members: [
    ...(["ID", "Name", "Description", "Policies", "ServiceIdentities"] as const),
    ...(["NodeIdentities", "Hash", "CreateIndex", "ModifyIndex"] as const),
  ],
  text: (role, meta) => {
    const head = [["ID", role.ID] as const, ["Name", role.Name] as const];
    return facts(column, [...head, ...roleFacts(role, meta)]) + grants(role);
  },
  entry: (role, meta) => {
    const lines = facts(column, [["ID", role.ID], ...roleFacts(role, meta)]);
    return `${role.Name}:\n${indented(lines + grants(role))}`;
  },
};

export const methodKind: Kind<AuthMethod> = {
  members: [
    ...(["MaxTokenTTL", "Name", "Type", "DisplayName", "Description"] as const),
    ...(["TokenLocality", "Config", "CreateIndex", "ModifyIndex"] as const),
  ],
  text: (method, meta) => {
    const lines = facts(methodColumn, [
      ["Name", method.Name],
      ["Type", method.Type],
      method.DisplayName ? ["DisplayName", method.DisplayName] : null,
      ["Description", method.Description ?? ""],
      method.MaxTokenTTL ? ["MaxTokenTTL", method.MaxTokenTTL] : null,
      method.TokenLocality ? ["TokenLocality", method.TokenLocality] : null,
      ...indexes(method, meta),
    ]);
    return `${lines}Config:\n${indentedJson(method.Config ?? null, "  ")}`;
  },
  entry: (method, meta) => {
    const lines = facts(column, [
      ["Type", method.Type],
      method.DisplayName ? ["DisplayName", method.DisplayName] : null,
      ["Description", method.Description ?? ""],
      ...indexes(method, meta),
    ]);
    return `${method.Name}:\n${indented(lines)}`;
  },
};

function ruleFacts(rule: BindingRule, meta: boolean): [string, string | number][] {
  return [
    ["AuthMethod", rule.AuthMethod],
    ["Description", rule.Description],
    ["BindType", rule.BindType],
    ["BindName", rule.BindName],
    ["Selector", rule.Selector],
    ...indexes(rule, meta),
  ];
}

export const ruleKind: Kind<BindingRule> = {
  members: [
    ...(["ID", "Description", "AuthMethod", "Selector"] as const),
    ...(["BindType", "BindName", "CreateIndex", "ModifyIndex"] as const),
  ],
  text: (rule, meta) => facts(column, [["ID", rule.ID], ...ruleFacts(rule, meta)]),
  entry: (rule, meta) => `${rule.ID}:\n${indented(facts(column, ruleFacts(rule, meta)))}`,
};
