// Decides by rules. All rules of a token are merged first: for one segment, exactly or as prefix, deny beats write
// beats list beats read. Then an exact rule beats any prefix, and the longest prefix beats shorter ones. What no rule
// speaks of is as the default says (semantics §11.2).

import type { Access, Authorizer, Resource } from "./access.ts";
import type { Level, Rule } from "./rules.ts";

/** What holds where no rule does. `manage` may do everything, ACLs included; `allow` everything else. */
export type DefaultPolicy = "allow" | "deny" | "manage";

/** Which rule decided. */
export interface Decision {
  allowed: boolean;
  /** Null: none speaks of it, the default decided. */
  rule: Rule | null;
}

const strength: Record<Level, number> = { deny: 3, write: 2, list: 1, read: 0 };

/** Rules about one resource. */
class RuleBook {
  readonly exact = new Map<string, Rule>();
  readonly prefixes = new Map<string, Rule>();
  /** Of the prefixes, the longest first. */
  lengths: number[] = [];

  add(rule: Rule): void {
    const rules = rule.isPrefix ? this.prefixes : this.exact;
    const known = rules.get(rule.segment);
    if (known && strength[known.level] >= strength[rule.level]) return;
    rules.set(rule.segment, rule);
    if (!rule.isPrefix || known) return;
    const lengths = new Set(this.lengths).add(rule.segment.length);
    this.lengths = [...lengths].toSorted((a, b) => b - a);
  }

  find(segment: string): Rule | null {
    return this.exact.get(segment) ?? this.findPrefix(segment);
  }

  findPrefix(segment: string): Rule | null {
    for (const length of this.lengths) {
      if (length > segment.length) continue;
      const rule = this.prefixes.get(segment.slice(0, length));
      if (rule) return rule;
    }
    return null;
  }

  *under(prefix: string): Iterable<Rule> {
    for (const rules of [this.exact, this.prefixes]) {
      for (const [segment, rule] of rules) if (segment.startsWith(prefix)) yield rule;
    }
  }

  *all(): Iterable<Rule> {
    yield* this.exact.values();
    yield* this.prefixes.values();
  }
}

export class RuleAuthorizer implements Authorizer {
  readonly unrestricted: boolean;
  readonly #books = new Map<Resource, RuleBook>();
  readonly #default: DefaultPolicy;
  readonly #readsAll = new Map<Resource, boolean>();

  constructor(rules: readonly Rule[], defaultPolicy: DefaultPolicy) {
    this.unrestricted = defaultPolicy === "manage";
    this.#default = defaultPolicy;
    for (const rule of rules) {
      const book = this.#books.get(rule.resource) ?? new RuleBook();
      this.#books.set(rule.resource, book);
      book.add(rule);
    }
  }

  allows(resource: Resource, segment: string, access: Access): boolean {
    return this.decide(resource, segment, access).allowed;
  }

  /** The same with its reason. */
  decide(resource: Resource, segment: string, access: Access): Decision {
    const book = this.#books.get(resource);
    if (resource === "intention" && segment === "*") return this.#onEveryService(book, access);
    const rule = book?.find(segment) ?? null;
    return { allowed: rule ? grants(rule.level, access) : this.#byDefault(resource), rule };
  }

  readsAll(resource: Resource): boolean {
    if (this.unrestricted) return true;
    let known = this.#readsAll.get(resource);
    if (known === undefined) {
      const rules = [...(this.#books.get(resource)?.all() ?? [])];
      const hasOneForAll = rules.some(({ isPrefix, segment }) => isPrefix && segment === "");
      known =
        (hasOneForAll || this.#byDefault(resource)) &&
        rules.every(({ level }) => grants(level, "read"));
      this.#readsAll.set(resource, known);
    }
    return known;
  }

  allowsKeyTree(prefix: string): boolean {
    const book = this.#books.get("key");
    const above = book?.findPrefix(prefix) ?? null;
    if (above && above.level !== "write") return false;
    for (const rule of book?.under(prefix) ?? []) if (rule.level !== "write") return false;
    return above !== null || this.#byDefault("key");
  }

  /** Intentions of all services may be seen by whoever sees those of any, and changed by whoever may change all. */
  #onEveryService(book: RuleBook | undefined, access: Access): Decision {
    const rules = [...(book?.all() ?? [])];
    if (access === "read") {
      const rule = rules.find(({ level }) => grants(level, access)) ?? null;
      return { allowed: rule !== null || this.#byDefault("intention"), rule };
    }
    const rule = rules.find(({ level }) => !grants(level, access)) ?? null;
    return { allowed: rule === null && this.#byDefault("intention"), rule };
  }

  /** A default of `allow` does not make everybody an administrator. */
  #byDefault(resource: Resource): boolean {
    return this.#default === "manage" || (this.#default === "allow" && resource !== "acl");
  }
}

function grants(level: Level, access: Access): boolean {
  if (level === "deny") return false;
  if (level === "write") return true;
  return access === "read" || (access === "list" && level === "list");
}
