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

const intention: Scenario = {
  name: "intention",
  inMemory: true,
  steps: steps(
    "intention create",
    "intention create a",
    "intention create web db",
    "intention create web db",
    "intention create -allow -deny a b",
    "intention create -deny -replace -meta=x=y web db",
    "intention create -deny -replace q ns/r",
    "intention create '*' b",
    "intention create a/b/c d",
    "intention create a d/e/f",
    "intention create -meta=x a b",
    "intention get web db",
    "intention get zap",
    "intention get a c",
    "intention get",
    "intention get a b c",
    "intention check a",
    "intention check web db",
    "intention check x b",
    "intention match",
    "intention match -source -destination a",
    "intention match db",
    "intention match -source web",
    "intention match zz",
    "intention match a b",
    [
      "intention create -file one.json",
      file(`{"SourceName":"f1","DestinationName":"f2","Action":"deny"}`),
    ],
    [
      "intention create -file one.json",
      file(`{"SourceName":"f1","DestinationName":"f2","Action":"deny"}`),
    ],
    [
      "intention create -file -replace one.json",
      file(`{"SourceName":"f1","DestinationName":"f2"}`),
    ],
    [
      "intention create -file -",
      { stdin: `{"SourceName":"f3","DestinationName":"f2","Action":"allow"}` },
    ],
    ["intention create -file one.json", file("[{}]")],
    "intention create -file /nofile",
    "intention create -file",
    "intention delete zap",
    "intention delete web db",
    "intention delete web db",
    "intention delete",
    "intention delete a b c",
  ),
};

function file(text: string): Omit<Step, "args"> {
  return { files: { "one.json": text } };
}

const catalog: Scenario = {
  name: "catalog",
  inMemory: false,
  steps: steps(
    "catalog datacenters",
    "catalog datacenters x",
    "services register -name=web -port=80 -tag=v2 -tag=v1",
    "services register -name=db",
    "catalog nodes -service=zap",
    "catalog nodes -service=zap -detailed",
    "catalog nodes -filter='x y'",
    "catalog nodes -filter='Node == zap'",
    "catalog nodes -node-meta=a=b",
    "catalog nodes -node-meta=a",
    "catalog nodes x",
    "catalog services -node=zap",
    "catalog services -node-meta=a=b",
    "catalog services x",
  ),
};

const agent: Scenario = {
  name: "agent",
  inMemory: false,
  steps: steps(
    "members -status=zap",
    "members -status='['",
    "members -segment=x",
    "maint",
    "maint -enable -reason='a b'",
    "maint",
    "maint -disable",
    "services register -name=web",
    "maint -enable -service=web",
    "maint",
    "maint -disable -service=web",
    "maint -enable -service=zap",
    "maint -enable -disable",
    "maint -reason=x",
    "maint -service=x",
    "join",
    "join 127.0.0.1:1",
    "force-leave",
    "force-leave zap",
    "force-leave -prune zap",
    "reload",
    "event",
    "event -name=x payload",
    "event -name=x a b",
    "event -name=x -tag=y",
    "event -name=x -node='('",
    "event -name=x -service='(' -tag=y",
    "event -name=x/y -node=a",
    "leave x",
  ),
};

const services: Scenario = {
  name: "services",
  inMemory: false,
  steps: steps(
    "services register",
    "services register -id=x",
    "services register -name=x y",
    "services register -name=p -kind=connect-proxy",
    "services register -name=web -port=80 -tag=a -meta=k=v -address=1.2.3.4 -id=w1",
    "services register -name=web -tagged-address=lan=1.1.1.1:80",
    "services register -name=web -tagged-address=lan=x",
    "services register -name=web -meta=x",
    "services register /nofile",
    ["services register one.json", file(`{"service":{"name":"a"}}`)],
    [
      "services register one.json",
      file(`{"services":[{"name":"b","port":3},{"name":"c","id":"c1"}]}`),
    ],
    ["services register one.json", file(`{"zap":1}`)],
    ["services register one.json", file("{")],
    [
      "services register a.hcl note.txt",
      {
        files: {
          "a.hcl":
            'service { name = "h" port = 3\n checks = [{ ttl = "10s" }] }\nservice { name = "i" }',
          "note.txt": "no definitions",
        },
      },
    ],
    "services deregister",
    "services deregister -id=a b",
    ["services deregister one.json", file(`{"services":[{"name":"b"},{"name":"c","id":"c1"}]}`)],
    "services deregister -id=zap",
    "services deregister -id=w1",
    "services deregister a",
  ),
};

export const scenarios: readonly Scenario[] = [kv, intention, catalog, agent, services];
