// The keys of one agent, in memory and in the file that Consul reads too; and commands over all agents' keys. Texts
// were recorded from Consul 1.8.7.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { KeyCommands } from "../../src/agent/gossip/key-commands.ts";
import { GossipKeyring } from "../../src/agent/gossip/keyring.ts";
import { Seal } from "../../src/agent/gossip/seal.ts";
import type { RelayedAnswer } from "../../src/link/pool-frames.ts";
import type { KeyAnswer } from "../../src/ports/local-agent.ts";

const [one, two] = [1, 2].map((n) => Buffer.alloc(32, n).toString("base64")) as [string, string];
let dataDir: string;
let warnings: string[];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "proconsul-keyring-"));
  warnings = [];
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const file = (): string => join(dataDir, "serf", "local.keyring");

function keyring(gossipKey = "", keyringFile = true): GossipKeyring {
  const log = { warn: (_name: string, text: string) => void warnings.push(text) };
  return GossipKeyring.open({ gossipKey, dataDir, gossip: { keyringFile } }, log);
}

function kept(): unknown {
  return JSON.parse(readFileSync(file(), "utf8"));
}

describe("a keyring", () => {
  test("is kept with each change, and goes before what is configured", async () => {
    const first = keyring(one);
    await first.save();
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(await first.install(two)).toBeNull();
    expect(kept()).toEqual([one, two]);
    expect(await first.use(two)).toBeNull();
    expect(kept()).toEqual([two, one]);
    expect(await first.remove(one)).toBeNull();
    expect(keyring(one).keys).toEqual([two]);
    expect(warnings).toEqual(["keyring doesn't include key provided with -encrypt, using keyring"]);
    expect(keyring().primary).toBe(two);
    expect(keyring(one, false).keys).toEqual([one]);
  });

  test("refuses what Consul refuses", async () => {
    const ring = keyring(one);
    expect(await ring.install("aGVsbG8=")).toBe("key size must be 16, 24 or 32 bytes");
    expect(await ring.use(two)).toBe("Requested key is not in the keyring");
    expect(await ring.remove(one)).toBe("Removing the primary key is not allowed");
    expect(await ring.remove(two)).toBeNull();
    expect(await ring.install(one)).toBeNull();
    for (let n = 10; n < 25; n++) {
      expect(await ring.install(Buffer.alloc(16, n).toString("base64"))).toBeNull();
    }
    expect(await ring.install(two)).toBe("a keyring holds at most 16 keys");
    const none = keyring("", false);
    for (const change of [none.install(one), none.use(one), none.remove(one)]) {
      expect(await change).toBe("No keyring to modify (encryption not enabled)");
    }
  });

  test("that cannot be kept is not changed", async () => {
    const ring = keyring(one);
    writeFileSync(join(dataDir, "serf"), "in the way");
    await expect(ring.install(two)).rejects.toThrow("EEXIST");
    expect(ring.keys).toEqual([one]);
  });

  test.each([
    ["garbage", "is no list of keys"],
    ['{"a":1}', "is no list of keys"],
    ["[]", "no keys present in keyring: "],
    ['["AAA="]', "key size must be 16, 24 or 32 bytes"],
    ['["!!"]', "illegal base64 data at input byte 0"],
  ])("that is kept as %s keeps the agent from starting", (text, why) => {
    mkdirSync(join(dataDir, "serf"));
    writeFileSync(file(), text);
    expect(() => keyring(one)).toThrow(`Failed to configure keyring: `);
    expect(() => keyring(one)).toThrow(why);
  });
});

interface Agent {
  ring: GossipKeyring;
  commands: KeyCommands;
}

function agent(...keys: string[]): Agent {
  const ring = keyring(keys[0] ?? "", false);
  const [verifyIncoming, verifyOutgoing] = [true, true];
  const seal = new Seal({ keys: () => ring.keys, verifyIncoming, verifyOutgoing, nowMs: Date.now });
  return { ring, commands: new KeyCommands({ keyring: ring, seal }) };
}

/** As pools do: everybody is asked, the asker too. */
async function all(
  asker: Agent,
  agents: Record<string, Agent>,
  command: Parameters<KeyCommands["run"]>[0],
): Promise<Record<string, KeyAnswer | null>> {
  const answerOf = await asker.commands.run(command, async (text) => {
    expect(text).not.toContain(one);
    const asked = Object.entries(agents).map(
      async ([name, { commands }]): Promise<RelayedAnswer> => [name, await commands.answer(text)],
    );
    return await Promise.all(asked);
  });
  return Object.fromEntries(Object.keys(agents).map((name) => [name, answerOf(name)]));
}

describe("a command over all agents", () => {
  test("rotates the key at each of them", async () => {
    const [a, b, c] = [agent(one), agent(one), agent(one)];
    const agents = { a, b, c };
    for (const step of ["install", "use"] as const) await all(a, agents, { do: step, key: two });
    await all(b, agents, { do: "remove", key: one });
    const answer = { primary: two, keys: [two] };
    expect(await all(c, agents, { do: "list" })).toEqual({ a: answer, b: answer, c: answer });
  });

  test("names who cannot, and who does not know the key", async () => {
    const [a, stranger] = [agent(one), agent(two)];
    const problem = "Requested key is not in the keyring";
    expect(await all(a, { a, stranger }, { do: "use", key: two })).toEqual({
      a: { problem },
      stranger: null,
    });
  });

  test("needs a key, and somebody who asks", async () => {
    const none = agent();
    const problem = "Keyring is empty (encryption not enabled)";
    expect(await all(none, { none }, { do: "list" })).toEqual({ none: { problem } });
    const a = agent(one);
    expect((await a.commands.run({ do: "list" }, null))("a")).toEqual({ problem });
    const failing = a.commands.run({ do: "list" }, () => Promise.reject(new Error("no socket")));
    await expect(failing).rejects.toThrow("the members cannot be asked: no socket");
  });

  test("is not taken twice, from nobody, or when it is none", async () => {
    const [a, b] = [agent(one), agent(one)];
    let seen = "";
    await a.commands.run({ do: "install", key: two }, (text) => {
      seen = text;
      return Promise.resolve([]);
    });
    expect(await b.commands.answer(seen)).not.toBeNull();
    await b.ring.remove(two);
    expect(await b.commands.answer(seen)).toBeNull();
    expect(b.ring.keys).toEqual([one]);
    for (const text of ["", "!", Buffer.from("P{}").toString("base64")]) {
      expect(await b.commands.answer(text)).toBeNull();
    }
  });
});
