// Tables of auth methods and binding rules, and finding and writing their rows.

import type { SqlRow } from "../../../lib/sql.ts";
import {
  type AuthMethod,
  authMethodSchema,
  type BindingRule,
  bindingRuleSchema,
  methodKey,
} from "../../../model/auth/types.ts";
import { encode } from "../../../model/schema.ts";
import type { TableIndex } from "../../meta.ts";
import type { Change, State } from "../../state.ts";
import type { TableDefinition } from "../../table.ts";
import { lookupKey } from "../acl/rows.ts";
import { aclTopics } from "../acl/topics.ts";

export const methodsIndex: TableIndex = { name: "acl-auth-methods" };
export const bindingRulesIndex: TableIndex = { name: "acl-binding-rules" };

export interface MethodRow extends SqlRow {
  /** The name in lower case. */
  id: string;
  create_index: number;
  modify_index: number;
  /** JSON of {@link AuthMethod}. */
  body: string;
}

export const methodTable: TableDefinition<MethodRow> = {
  name: "acl_auth_method",
  columns: {
    id: "TEXT NOT NULL",
    create_index: "INTEGER NOT NULL",
    modify_index: "INTEGER NOT NULL",
    body: "TEXT NOT NULL",
  },
  key: ["id"],
};

export interface BindingRuleRow extends SqlRow {
  id: string;
  /** Key of its method. */
  method: string;
  create_index: number;
  modify_index: number;
  /** JSON of {@link BindingRule}. */
  body: string;
}

export const bindingRuleTable: TableDefinition<BindingRuleRow> = {
  name: "acl_binding_rule",
  columns: {
    id: "TEXT NOT NULL",
    method: "TEXT NOT NULL",
    create_index: "INTEGER NOT NULL",
    modify_index: "INTEGER NOT NULL",
    body: "TEXT NOT NULL",
  },
  key: ["id"],
  indexes: { acl_binding_rule_method: { on: "ON acl_binding_rule (method)" } },
};

// Auth methods

export function methodOf({ body }: MethodRow): AuthMethod {
  // What is written leaves out what is empty.
  const empty = { DisplayName: "", Description: "", TokenLocality: "" };
  return { ...empty, ...(JSON.parse(body) as AuthMethod) };
}

export function findMethod(state: State, name: string): MethodRow | undefined {
  return state.table(methodTable).get(methodKey(name));
}

export function allMethods(state: State): MethodRow[] {
  return state.table(methodTable).select("ORDER BY id");
}

const storedMethod = {
  ...authMethodSchema,
  fields: {
    ...authMethodSchema.fields,
    MaxTokenTTL: { type: { kind: "duration", written: "nanoseconds" } },
  },
} as const;

/** JSON text of a method as its row has it. */
export function methodBody(method: AuthMethod): string {
  return encode(storedMethod, method);
}

export function putMethod(change: Change, method: AuthMethod, before?: MethodRow): MethodRow {
  const row: MethodRow = {
    id: methodKey(method.Name),
    create_index: before?.create_index ?? change.index,
    modify_index: change.index,
    body: methodBody(method),
  };
  change.table(methodTable).put(row);
  touchMethods(change);
  return row;
}

export function removeMethod(change: Change, row: MethodRow): void {
  change.table(methodTable).remove(row.id);
  touchMethods(change);
}

function touchMethods(change: Change): void {
  change.meta.bump(methodsIndex, change.index);
  change.touch(aclTopics.authMethods);
}

// Binding rules

export function bindingRuleOf({ body }: BindingRuleRow): BindingRule {
  return JSON.parse(body) as BindingRule;
}

/** Throws ServiceError for what is no UUID. */
export function findBindingRule(state: State, id: string): BindingRuleRow | undefined {
  return state.table(bindingRuleTable).get(lookupKey("binding rule", id));
}

export function allBindingRules(state: State): BindingRuleRow[] {
  return state.table(bindingRuleTable).select("ORDER BY id");
}

export function bindingRulesFor(state: State, method: string): BindingRuleRow[] {
  return state.table(bindingRuleTable).select("WHERE method = ? ORDER BY id", methodKey(method));
}

export function putBindingRule(
  change: Change,
  rule: BindingRule,
  before?: BindingRuleRow,
): BindingRuleRow {
  const row: BindingRuleRow = {
    id: rule.ID,
    method: methodKey(rule.AuthMethod),
    create_index: before?.create_index ?? change.index,
    modify_index: change.index,
    body: encode(bindingRuleSchema, rule),
  };
  change.table(bindingRuleTable).put(row);
  touchBindingRules(change);
  return row;
}

export function removeBindingRule(change: Change, row: BindingRuleRow): void {
  change.table(bindingRuleTable).remove(row.id);
  touchBindingRules(change);
}

function touchBindingRules(change: Change): void {
  change.meta.bump(bindingRulesIndex, change.index);
  change.touch(aclTopics.bindingRules);
}
