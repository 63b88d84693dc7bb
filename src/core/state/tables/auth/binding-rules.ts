// Making, changing and deleting binding rules.

import { checkBindingRule } from "../../../model/auth/binding.ts";
import { type BindingRule, bindingRuleSchema } from "../../../model/auth/types.ts";
import { encode } from "../../../model/schema.ts";
import { uuidProblem } from "../../../model/uuid.ts";
import { withIndexes } from "../../rows.ts";
import type { Change } from "../../state.ts";
import { refuse } from "../acl/grants.ts";
import { type BindingRuleRow, bindingRuleOf, findBindingRule, findMethod } from "./rows.ts";
import { methodOf, putBindingRule, removeBindingRule } from "./rows.ts";

export interface BindingRuleRequest {
  rule: BindingRule;
  /** Its id was drawn for a new rule. */
  create: boolean;
}

/** Answers the rule as JSON text. */
export function setBindingRule(change: Change, { rule, create }: BindingRuleRequest): string {
  const row = create ? undefined : knownRule(change, rule.ID);
  const known = row ? bindingRuleOf(row).AuthMethod : rule.AuthMethod;
  const name = rule.AuthMethod === "" ? known : rule.AuthMethod;
  if (name !== known) refuse("the AuthMethod field of an Binding Rule is immutable");
  if (name === "") refuse("Invalid Binding Rule: no AuthMethod is set");
  const method = findMethod(change, name);
  if (!method) refuse(`cannot find auth method with name ${JSON.stringify(name)}`);
  const complete = { ...rule, ID: row?.id ?? rule.ID, AuthMethod: name };
  checkBindingRule(complete, methodOf(method));
  return encodeBindingRule(putBindingRule(change, complete, row));
}

function knownRule(change: Change, id: string): BindingRuleRow {
  if (uuidProblem(id) !== null) refuse("Binding Rule ID invalid UUID");
  return findBindingRule(change, id) ?? refuse(`cannot find binding rule ${id}`);
}

/** Unknown ones are fine. */
export function deleteBindingRule(change: Change, id: string): true {
  const row = findBindingRule(change, id);
  if (row) removeBindingRule(change, row);
  return true;
}

export function encodeBindingRule(row: BindingRuleRow): string {
  return withIndexes(encode(bindingRuleSchema, bindingRuleOf(row)), row);
}
