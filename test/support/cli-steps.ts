// What is asked of the command line: by the recorder of the real Consul, and of ours in tests. Each scenario begins in
// a new datacenter, and its steps follow each other.

export interface Step {
  args: readonly string[];
  stdin?: string;
  /** Files that exist while it runs, in its working directory. */
  files?: Readonly<Record<string, string>>;
}

export interface Scenario {
  name: string;
  /** Runs against routes in memory; otherwise an agent is needed. */
  inMemory: boolean;
  /** Against a datacenter with ACLs, as a manager. */
  acl?: true;
  steps: readonly Step[];
}

/** Words as a shell splits them, with single quotes. */
export function words(line: string): string[] {
  return [...line.matchAll(/(?:[^\s']|'[^']*')+/g)].map(([word]) => word.replaceAll("'", ""));
}

function steps(...lines: (string | [string, Omit<Step, "args">])[]): Step[] {
  return lines.map((line) =>
    typeof line === "string" ? { args: words(line) } : { args: words(line[0]), ...line[1] },
  );
}

const kv: Scenario = {
  name: "kv",
  inMemory: true,
  steps: steps(
    "kv put cli/a hello",
    "kv get cli/a",
    "kv get -detailed cli/a",
    "kv get nokey",
    "kv get -keys cli/",
    "kv get -recurse cli/",
    "kv get -base64 cli/a",
    "kv get -base64 -detailed cli/a",
    "kv put -flags=7 cli/b '<b>&'",
    "kv put cli/sub/c 'x y'",
    "kv get -recurse -detailed cli/",
    "kv get -keys -separator= cli",
    "kv get -keys cli/ -zap",
    "kv get -keys /zz",
    "kv get",
    "kv get ''",
    "kv get /",
    "kv get a b",
    "kv get -datacenter=dc9 a",
    "kv put",
    "kv put ''",
    "kv put /a b",
    "kv put a b c",
    "kv put -cas -modify-index=99999 cli/a x",
    "kv put -cas -modify-index=0 cli/new x",
    "kv put -cas cli/a x",
    "kv put -acquire cli/a x",
    "kv put -acquire -session=x cli/a x",
    "kv put -base64 cli/d YWJj%YWI=",
    "kv get cli/d",
    "kv put -base64 cli/d YWI=",
    "kv get cli/d",
    "kv put -modify-index=x a",
    "kv put -modify-index",
    ["kv put cli/stdin -", { stdin: "hi\n" }],
    ["kv put cli/file @value.txt", { files: { "value.txt": "in a file" } }],
    "kv put cli/b @/nofile",
    "kv put -flags=18446744073709551615 cli/big 1",
    "kv export cli/",
    "kv export /cli/big",
    "kv export none/",
    "kv export a b",
    "kv import",
    "kv import ''",
    "kv import a b",
    "kv import xx",
    "kv import {}",
    `kv import '[{"key":1}]'`,
    `kv import '[{"zap":1}]'`,
    `kv import '[{"key":"/q","value":"!!"}]'`,
    `kv import '[{"key":"/q","value":"YQ=="}]'`,
    `kv import '[{"key":"in/a","flags":3,"value":"YQ=="},{"key":"in/b","value":""}]'`,
    ["kv import @tree.json", { files: { "tree.json": `[{"key":"in/c","value":"YQ=="}]` } }],
    ["kv import -", { stdin: `[{"key":"in/d","value":"YQ=="}]` }],
    "kv export in/",
    "kv delete",
    "kv delete ''",
    "kv delete a b",
    "kv delete -cas cli/a",
    "kv delete -cas -modify-index=99999 cli/a",
    "kv delete -cas -recurse -modify-index=99999 cli/a",
    "kv delete -modify-index=3 cli/a",
    "kv delete cli/zz",
    "kv delete cli/a",
    "kv delete -recurse cli/",
    "kv delete -recurse ''",
    "kv get -recurse",
    "kv get -token-file=/nofile a",
    "kv get -http-addr=zap://x a",
  ),
};

export const scenarios: readonly Scenario[] = [kv];
