// Auth methods and binding rules in archives.

import { type AuthMethod, authMethodSchema, methodKey } from "../../../model/auth/types.ts";
import { type BindingRule, bindingRuleSchema } from "../../../model/auth/types.ts";
import { encode } from "../../../model/schema.ts";
import { raftIndexes, recordTypes } from "../../archive/format.ts";
import type { AreaArchive, RecordKind } from "../../archive/kinds.ts";
import { indexed, pack, unpack } from "../../archive/wire.ts";
import { bindingRuleOf, bindingRulesIndex, bindingRuleTable } from "./rows.ts";
import { methodBody, methodOf, methodsIndex, methodTable } from "./rows.ts";

const methodSchema = indexed(authMethodSchema);
const ruleSchema = indexed(bindingRuleSchema);

const methods: RecordKind = {
  type: recordTypes.authMethod,
  *save(copy) {
    for (const row of copy.rows(methodTable)) {
      const { create_index: CreateIndex, modify_index: ModifyIndex } = row;
      const record = { ...methodOf(row), CreateIndex, ModifyIndex };
      yield (packer) => pack(packer, methodSchema, record);
    }
  },
  load(loading, body) {
    const method = unpack(authMethodSchema, body) as AuthMethod;
    const id = methodKey(method.Name);
    const row = { id, ...raftIndexes(loading, body), body: methodBody(method) };
    loading.table(methodTable).put(row);
  },
};

const rules: RecordKind = {
  type: recordTypes.bindingRule,
  *save(copy) {
    for (const row of copy.rows(bindingRuleTable)) {
      const { create_index: CreateIndex, modify_index: ModifyIndex } = row;
      const record = { ...bindingRuleOf(row), CreateIndex, ModifyIndex };
      yield (packer) => pack(packer, ruleSchema, record);
    }
  },
  load(loading, body) {
    const rule = unpack(bindingRuleSchema, body) as BindingRule;
    loading.table(bindingRuleTable).put({
      id: rule.ID,
      method: methodKey(rule.AuthMethod),
      ...raftIndexes(loading, body),
      body: encode(bindingRuleSchema, rule),
    });
  },
};

export const authArchive: AreaArchive = {
  kinds: [rules, methods],
  indexes: [methodsIndex, bindingRulesIndex],
};
