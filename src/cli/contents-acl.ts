// The groups about permissions.

import { type Group, leaf } from "./entries.ts";

const policy: Group = {
  synopsis: "Manage Consul's ACL policies",
  about: "Policies are rules with a name.",
  members: {
    create: leaf("Create an ACL policy", () => import("./commands/acl/policy/create.ts")),
    delete: leaf("Delete an ACL policy", () => import("./commands/acl/policy/delete.ts")),
    list: leaf("Lists ACL policies", () => import("./commands/acl/policy/list.ts")),
    read: leaf("Read an ACL policy", () => import("./commands/acl/policy/read.ts")),
    update: leaf("Update an ACL policy", () => import("./commands/acl/policy/update.ts")),
  },
};

const role: Group = {
  synopsis: "Manage Consul's ACL roles",
  about: "Roles are policies that are granted together.",
  members: {
    create: leaf("Create an ACL role", () => import("./commands/acl/role/create.ts")),
    delete: leaf("Delete an ACL role", () => import("./commands/acl/role/delete.ts")),
    list: leaf("Lists ACL roles", () => import("./commands/acl/role/list.ts")),
    read: leaf("Read an ACL role", () => import("./commands/acl/role/read.ts")),
    update: leaf("Update an ACL role", () => import("./commands/acl/role/update.ts")),
  },
};

const token: Group = {
  synopsis: "Manage Consul's ACL tokens",
  about: "Tokens are what clients show.",
  members: {
    clone: leaf("Clone an ACL token", () => import("./commands/acl/token/clone.ts")),
    create: leaf("Create an ACL token", () => import("./commands/acl/token/create.ts")),
    delete: leaf("Delete an ACL token", () => import("./commands/acl/token/delete.ts")),
    list: leaf("List ACL tokens", () => import("./commands/acl/token/list.ts")),
    read: leaf("Read an ACL token", () => import("./commands/acl/token/read.ts")),
    update: leaf("Update an ACL token", () => import("./commands/acl/token/update.ts")),
  },
};

const authMethod: Group = {
  synopsis: "Manage Consul's ACL auth methods",
  about: "Auth methods say who is trusted to know whom.",
  members: {
    create: leaf("Create an ACL auth method", () => import("./commands/acl/auth-method/create.ts")),
    delete: leaf("Delete an ACL auth method", () => import("./commands/acl/auth-method/delete.ts")),
    list: leaf("Lists ACL auth methods", () => import("./commands/acl/auth-method/list.ts")),
    read: leaf("Read an ACL auth method", () => import("./commands/acl/auth-method/read.ts")),
    update: leaf("Update an ACL auth method", () => import("./commands/acl/auth-method/update.ts")),
  },
};

const bindingRule: Group = {
  synopsis: "Manage Consul's ACL binding rules",
  about: "Binding rules say what a login gets.",
  members: {
    create: leaf(
      "Create an ACL binding rule",
      () => import("./commands/acl/binding-rule/create.ts"),
    ),
    delete: leaf(
      "Delete an ACL binding rule",
      () => import("./commands/acl/binding-rule/delete.ts"),
    ),
    list: leaf("Lists ACL binding rules", () => import("./commands/acl/binding-rule/list.ts")),
    read: leaf("Read an ACL binding rule", () => import("./commands/acl/binding-rule/read.ts")),
    update: leaf(
      "Update an ACL binding rule",
      () => import("./commands/acl/binding-rule/update.ts"),
    ),
  },
};

export const acl: Group = {
  synopsis: "Interact with Consul's ACLs",
  about: `
Manages who may do what.

    $ consul acl bootstrap

    $ consul acl policy list

    $ consul acl token create -policy-name "operators"`,
  members: {
    "auth-method": authMethod,
    "binding-rule": bindingRule,
    bootstrap: leaf("Bootstrap Consul's ACL system", () => import("./commands/acl/bootstrap.ts")),
    policy,
    role,
    "set-agent-token": leaf(
      "Assign tokens for the Consul Agent's usage",
      () => import("./commands/acl/set-agent-token.ts"),
    ),
    token,
    "translate-rules": leaf(
      "Translate the legacy rule syntax into the current syntax",
      () => import("./commands/acl/translate-rules.ts"),
    ),
  },
};
