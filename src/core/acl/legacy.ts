// Rules of tokens from before Consul 1.4: every name was a prefix. They still decide for tokens that carry them, and
// can be rewritten in the words of today.

import { HclError } from "../lib/hcl/ast.ts";
import { printHcl } from "../lib/hcl/printer.ts";
import { parseHcl } from "../lib/hcl/parser.ts";
import { parseRules, RulesError, type Rule } from "./rules.ts";

const named = new Set(["agent", "event", "key", "node", "query", "service", "session"]);

/** What a legacy token's rules grant; nothing when they are none. */
export function legacyRules(text: string): Rule[] {
  let rules: Rule[];
  try {
    rules = parseRules(text);
  } catch (failure) {
    if (failure instanceof RulesError) return [];
    throw failure;
  }
  return rules.map((rule) => (rule.segment === "" && !isNamed(rule) ? rule : asPrefix(rule)));
}

function isNamed({ resource }: Rule): boolean {
  return named.has(resource) || resource === "intention";
}

function asPrefix(rule: Rule): Rule {
  return { ...rule, isPrefix: true };
}

/** Legacy rules as a policy says them. Throws RulesError. */
export function translateRules(text: string): string {
  try {
    const document = parseHcl(text);
    for (const item of document.items) {
      const [key] = item.keys;
      if (!key || !named.has(key.name)) continue;
      key.name = `${key.name}_prefix`;
      key.source = key.name;
    }
    return printHcl(document);
  } catch (failure) {
    if (!(failure instanceof HclError)) throw failure;
    throw new RulesError(`Failed to parse rules: ${failure.message}`);
  }
}
