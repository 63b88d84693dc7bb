// What flags say of a binding rule, and finding one.

import { type Api, pathEscape } from "../../../api.ts";
import { Failure, failing } from "../../../command.ts";
import { type FlagTable, textFlag } from "../../../flags.ts";
import { ruleId } from "../find.ts";
import type { BindingRule } from "../types.ts";

export const fieldFlags = {
  "bind-name": textFlag("Name of the service or role that a login gets; may contain ${var}."),
  description: textFlag("What the rule is for."),
  selector: textFlag("Expression that must be true of what the auth method found out."),
} satisfies FlagTable;

/** Throws Failure. */
export async function wholeRuleId(api: Api, given: string): Promise<string> {
  return await ruleId(api, given).catch(failing("Error determining binding rule ID"));
}

/** Throws Failure when there is none. */
export async function readRule(api: Api, id: string): Promise<BindingRule> {
  const answer = await api.find(rulePath(id)).catch(failing(`Error reading binding rule "${id}"`));
  if (answer) return answer.json<BindingRule>();
  throw new Failure(`Binding rule not found with ID "${id}"`);
}

export function rulePath(id: string): string {
  return `/v1/acl/binding-rule/${pathEscape(id)}`;
}
