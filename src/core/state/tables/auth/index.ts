// Logins: auth methods say who somebody is, binding rules what that grants, and tokens come of both.

import { type AclToken, aclTokenSchema, anonymousAccessor } from "../../../model/acl.ts";
import { authMethodSchema, bindingRuleSchema } from "../../../model/auth/types.ts";
import type { AuthMethod, BindingRule } from "../../../model/auth/types.ts";
import { ServiceError, unknownToken } from "../../../model/errors.ts";
import { flag, integer, text } from "../../../model/schema.ts";
import { admitAll, command, defineArea, type Admission } from "../../area.ts";
import { authArchive } from "./archive.ts";
import { deleteBindingRule, setBindingRule } from "./binding-rules.ts";
import { login, logout, requireLogin } from "./logins.ts";
import { completeMethod, deleteMethod, setMethod } from "./methods.ts";
import { authReads } from "./reads.ts";
import { bindingRuleTable, methodTable } from "./rows.ts";

function requireEnabled({ state }: Admission): void {
  if (!state.acl.enabled) throw new ServiceError("acl-disabled", "ACL support disabled");
}

/** Whoever changes who may log in needs `acl:write`. */
function forAdministrators<Given>(given: Given, admission: Admission): Given {
  requireEnabled(admission);
  admission.permit("acl", "", "write");
  return given;
}

/** Tokens for all datacenters are made in one. */
function requireLocality({ TokenLocality: locality }: AuthMethod, { state }: Admission): void {
  if (locality !== "global" || state.acl.primary === undefined) return;
  const rule = "TokenLocality 'global' can only be used in the primary datacenter";
  throw new ServiceError("invalid", `Invalid Auth Method: ${rule}`);
}

export const auth = defineArea({
  name: "auth",
  archive: authArchive,
  tables: [methodTable, bindingRuleTable],
  commands: {
    /** Made by the leader alone, which has looked at the configuration. */
    "auth.method.set": command<{ method: AuthMethod }, string>({
      shape: { method: { type: authMethodSchema } },
      admit: (given, admission) => {
        forAdministrators(given, admission);
        requireLocality(given.method, admission);
        return { method: completeMethod(admission.state, given.method) };
      },
      apply: setMethod,
    }),
    "auth.method.delete": command<{ name: string }, true>({
      shape: { name: text },
      admit: forAdministrators,
      apply: (change, { name }) => deleteMethod(change, name),
    }),
    "auth.rule.set": command<{ rule: BindingRule; create: boolean }, string>({
      shape: { rule: { type: bindingRuleSchema }, create: flag },
      admit: forAdministrators,
      apply: setBindingRule,
    }),
    "auth.rule.delete": command<{ id: string }, true>({
      shape: { id: text },
      admit: forAdministrators,
      apply: (change, { id }) => deleteBindingRule(change, id),
    }),
    /** Made by the leader alone, which knows who logs in. */
    "auth.login": command<{ token: AclToken; decidedAt: number }, string>({
      shape: { token: { type: aclTokenSchema }, decidedAt: integer },
      admit: admitAll,
      apply: login,
    }),
    /** Ends the token that asks. */
    "auth.logout": command<{ accessor: string }, true>({
      shape: { accessor: text },
      admit: (_given, admission) => {
        requireEnabled(admission);
        const { bearer, state } = admission;
        if (bearer === anonymousAccessor) {
          throw unknownToken();
        }
        requireLogin(state, bearer);
        return { accessor: bearer };
      },
      apply: (change, { accessor }) => logout(change, accessor),
    }),
  },
  reads: authReads,
});
