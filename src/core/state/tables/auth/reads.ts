// The reads of auth methods and binding rules. Whoever may read ACLs may read them.

import { methodKey } from "../../../model/auth/types.ts";
import { ServiceError } from "../../../model/errors.ts";
import type { TableIndex } from "../../meta.ts";
import type { Evaluated, PlainRead } from "../../read.ts";
import { list } from "../../rows.ts";
import type { View } from "../../state.ts";
import { requireRead } from "../../view.ts";
import type { Topic } from "../../watch.ts";
import { aclTopics } from "../acl/topics.ts";
import { encodeBindingRule } from "./binding-rules.ts";
import { encodeMethod, encodeMethodStub } from "./methods.ts";
import { allBindingRules, allMethods, bindingRulesFor, bindingRulesIndex } from "./rows.ts";
import { findBindingRule, findMethod, methodsIndex } from "./rows.ts";

function requireAclRead(view: View): void {
  if (!view.acl.enabled) throw new ServiceError("acl-disabled", "ACL support disabled");
  requireRead(view, "acl", "");
}

function answer(view: View, index: TableIndex, topic: Topic, body: string | null): Evaluated {
  return { index: view.meta.index(index), body, topics: [topic] };
}

const methodList: PlainRead<Record<string, never>> = {
  evaluate: (_args, view) => {
    requireAclRead(view);
    const stubs = allMethods(view).map(encodeMethodStub);
    return answer(view, methodsIndex, aclTopics.authMethods, list(stubs));
  },
};

const method: PlainRead<{ name: string }> = {
  evaluate: ({ name }, view) => {
    requireAclRead(view);
    const row = findMethod(view, name);
    return answer(view, methodsIndex, aclTopics.authMethods, row ? encodeMethod(row) : null);
  },
};

const bindingRuleList: PlainRead<{ authMethod?: string }> = {
  evaluate: ({ authMethod }, view) => {
    requireAclRead(view);
    const rows =
      authMethod === undefined
        ? allBindingRules(view)
        : bindingRulesFor(view, methodKey(authMethod));
    const body = list(rows.map(encodeBindingRule));
    return answer(view, bindingRulesIndex, aclTopics.bindingRules, body);
  },
};

const bindingRule: PlainRead<{ id: string }> = {
  evaluate: ({ id }, view) => {
    requireAclRead(view);
    const row = findBindingRule(view, id);
    const body = row ? encodeBindingRule(row) : null;
    return answer(view, bindingRulesIndex, aclTopics.bindingRules, body);
  },
};

export const authReads = {
  "acl.auth-method.list": methodList,
  "acl.auth-method": method,
  "acl.binding-rule.list": bindingRuleList,
  "acl.binding-rule": bindingRule,
};
