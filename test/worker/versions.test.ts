// A type of command that the first format does not know: the leader asks its voters before the first one, then the log
// says that all know it.

import { reset } from "cloudflare:test";
import { afterEach, expect, test } from "vitest";

import type { Command } from "../../src/core/state/commands.ts";
import { origin } from "../../src/core/model/coordinate.ts";
import type { ReadAnswer } from "../../src/link/protocol.ts";
import { ask, put, server, write } from "./datacenter.ts";

afterEach(() => reset());

test("a new type of command is written through any server once all voters know it", async () => {
  await put(0, "a", "1");
  const announced = await server(1).fetch("http://server/rpc/commands", { method: "POST" });
  expect(await announced.json()).toMatchObject({ "kv.set": 1, "coordinate.update": 1 });
  const update = { Node: "none", Segment: "", Coord: origin };
  const command: Command = { type: "coordinate.update", update };
  expect(await write(1, command)).toMatchObject({ value: true });
  expect(await write(2, command)).toMatchObject({ value: true });
  for (const n of [0, 1, 2]) {
    const answer = (await ask(n, { id: 1, read: "coordinate.nodes", args: {} })) as ReadAnswer;
    expect(answer.body).toBe("[]");
    expect(answer.index).toBeGreaterThan(1);
  }
});
