// Which metrics are told at all, by the longest prefix of their whole names that a rule has, as go-metrics decides.

export interface MetricFilter {
  readonly allowed: readonly string[];
  readonly blocked: readonly string[];
  /** For names that no rule speaks of. */
  readonly byDefault: boolean;
}

/** `rules`: each a prefix with `+` or `-` before it. Others are not rules, and `problems` says so. */
export function metricFilter(
  rules: readonly string[],
  byDefault: boolean,
): { filter: MetricFilter; problems: string[] } {
  const problems = rules.flatMap((rule) => {
    if (rule === "") return ["Cannot have empty filter rule in prefix_filter"];
    if (/^[+-]/.test(rule)) return [];
    return [`Filter rule must begin with either '+' or '-': ${JSON.stringify(rule)}`];
  });
  const of = (sign: string): string[] =>
    rules.filter((rule) => rule.startsWith(sign)).map((rule) => rule.slice(1));
  return { filter: { allowed: of("+"), blocked: of("-"), byDefault }, problems };
}

export function isAllowed({ allowed, blocked, byDefault }: MetricFilter, name: string): boolean {
  const longest = (prefixes: readonly string[]): number =>
    Math.max(-1, ...prefixes.filter((each) => name.startsWith(each)).map(({ length }) => length));
  const [yes, no] = [longest(allowed), longest(blocked)];
  return yes === no ? byDefault : yes > no;
}
