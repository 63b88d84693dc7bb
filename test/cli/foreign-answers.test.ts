// Whoever answers may be no agent: a proxy's page, JSON of another shape, a connection that ends early. Every command
// must say so in a line and fail.

import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { contents } from "../../src/cli/contents.ts";
import type { Group } from "../../src/cli/entries.ts";
import type { Transport } from "../../src/cli/transport.ts";
import { runHere } from "../support/cli-lab.ts";
import { words } from "../support/cli-step.ts";

/** Commands that need more than their name to ask for something. */
const usual: Readonly<Record<string, string>> = {
  "acl policy create": "-name=a",
  "acl policy delete": "-id=a",
  "acl policy read": "-id=a",
  "acl policy update": "-id=a",
  "acl role create": "-name=a -policy-id=a",
  "acl role delete": "-id=a",
  "acl role read": "-id=a",
  "acl role update": "-id=a",
  "acl token create": "-policy-id=a",
  "acl token clone": "-id=a",
  "acl token delete": "-id=a",
  "acl token read": "-id=a",
  "acl token update": "-id=a",
  "acl auth-method create": "-name=a -type=jwt",
  "acl auth-method read": "-name=a",
  "acl auth-method update": "-name=a",
  "acl binding-rule create": "-method=a -bind-name=a",
  "acl binding-rule delete": "-id=a",
  "acl binding-rule read": "-id=a",
  "acl binding-rule update": "-id=a",
  "catalog nodes": "-detailed",
  "config list": "-kind=a",
  "config read": "-kind=service-defaults -name=a",
  "intention check": "a b",
  "intention delete": "a b",
  "intention get": "a b",
  "intention match": "a",
  "kv get": "a",
  "kv export": "a",
  event: "-name=a",
  exec: "a",
  lock: "-timeout=1ms a b",
  rtt: "a b",
  "snapshot save": join(tmpdir(), `proconsul-foreign-${process.pid}.snap`),
  watch: "-type=key -key=a",
  keyring: "-list",
};

/** They ask nobody, or print no part of an answer. */
const silent = new Set([
  ...[
    "agent",
    "keygen",
    "leave",
    "validate",
    "upgrade",
    "join-token revoke",
    "version",
    "reload",
    "join",
    "force-leave",
    "monitor",
  ],
  ...[
    "kv put",
    "kv delete",
    "kv import",
    "services register",
    "services deregister",
    "logout",
    "lock",
  ],
  ...["config delete", "config write", "acl set-agent-token", "acl translate-rules", "login"],
  ...["acl auth-method delete", "connect ca set-config", "operator raft remove-peer"],
  ...[
    "intention create",
    "snapshot inspect",
    "snapshot restore",
    "tls ca create",
    "tls cert create",
  ],
]);

function names(members: Group["members"], before = ""): string[] {
  return Object.entries(members).flatMap(([name, entry]) =>
    "load" in entry ? [before + name] : names(entry.members, `${before}${name} `),
  );
}

function answering(text: string, headers: Record<string, string> = {}): Transport {
  return async () =>
    await Promise.resolve({
      status: 200,
      header: (name) => headers[name.toLowerCase()] ?? null,
      body: (async function* () {
        yield await Promise.resolve(Buffer.from(text));
      })(),
    });
}

const cutOff: Transport = async () =>
  await Promise.resolve({
    status: 200,
    header: () => null,
    body: (async function* () {
      yield await Promise.resolve(Buffer.from("["));
      throw new Error("aborted");
    })(),
  });

describe.each(names(contents).filter((name) => !silent.has(name)))("%s", (name) => {
  const args = words(`${name} ${usual[name] ?? ""}`);

  test("a page, and a connection that ends early", async () => {
    for (const transport of [answering("<html>\nBad gateway</html>"), cutOff]) {
      const outcome = await runHere({ args }, transport);
      expect(outcome.code).toBeGreaterThan(0);
      expect(outcome.stderr).toMatch(
        /the answer is no JSON: "<html>|unexpected EOF|gzip: invalid header/,
      );
    }
  });

  test.each(["null", "3", "[null]", '{"a":1}', "[[]]"])("%s does not throw", async (text) => {
    const outcome = await runHere({ args }, answering(text), { SHELL: "/bin/false" });
    expect(outcome.code).toBeGreaterThanOrEqual(0);
    expect(outcome.stderr).not.toContain("at ");
  });
});
