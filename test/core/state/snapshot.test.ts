import { expect, test } from "vitest";
import { listSessionTtls } from "../../../src/core/state/tables/session/session.ts";
import { StateHarness } from "../../support/state-harness.ts";

function populated(): StateHarness {
  const harness = new StateHarness();
  for (let at = 0; at < 40; at++) {
    harness.register({
      Node: `n${at}`,
      Address: "1.1.1.1",
      Service: { Service: `s${at % 7}`, ID: `i${at}` },
      Check: { Name: "c", ServiceID: `i${at}`, Status: "passing" },
    });
    harness.set(`key/${at}`, "dmFsdWU=");
  }
  harness.apply({ type: "kv.delete", key: "key/3" });
  const id = harness.createSession("n1", { NodeChecks: [], TTL: "10s" });
  harness.run({ type: "kv.lock", key: "lock", value: "", flags: "5", session: id });
  return harness;
}

/** Everything that a client can see. */
function visible(harness: StateHarness): unknown[] {
  return [
    harness.machine.appliedIndex,
    harness.machine.digest,
    harness.machine.ask(listSessionTtls),
    harness.read("kv.list", { prefix: "" }),
    harness.read("session.list", {}),
    harness.read("catalog.nodes", {}),
    harness.read("catalog.services", {}),
    harness.read("health.state", { state: "any" }),
    harness.read("health.service", { service: "s1" }),
    harness.read("health.service", { service: "none" }),
    harness.read("kv.get", { key: "key/3" }),
  ];
}

/** Copies chunk by chunk; `meanwhile` runs between them. */
function copy(
  from: StateHarness,
  bytesMax: number,
  meanwhile: (chunk: number) => void,
): StateHarness {
  const to = new StateHarness();
  to.set("what was here before");
  to.machine.clear();
  const stream = from.machine.openSnapshot();
  for (let chunk = 0; ; chunk++) {
    const { data, final } = stream.next(bytesMax);
    to.machine.installRows(data);
    if (final) break;
    meanwhile(chunk);
  }
  from.machine.closeSnapshot(stream);
  to.machine.finishInstall(from.machine.appliedIndex);
  return to;
}

test("a copy has everything the original has", () => {
  const from = populated();
  expect(visible(copy(from, 1_000_000, () => undefined))).toEqual(visible(from));
});

test("a chunk stays about as small as it was asked to be", () => {
  const stream = populated().machine.openSnapshot();
  const sizes: number[] = [];
  for (let final = false; !final;) {
    const chunk = stream.next(2_000);
    sizes.push(chunk.data.length);
    ({ final } = chunk);
  }
  expect(sizes.length).toBeGreaterThan(10);
  expect(Math.max(...sizes)).toBeLessThan(5_000);
});

test("large values are read as they are sent, not a page of them at once", () => {
  const from = new StateHarness();
  const value = "A".repeat(600_000);
  for (let at = 0; at < 30; at++) from.set(`big/${String(at).padStart(3, "0")}`, value);
  const read: number[] = [];
  const execute = from.sql.exec.bind(from.sql);
  from.sql.exec = ((statement: string, ...parameters: []) => {
    const rows = execute<{ value?: string }>(statement, ...parameters);
    read.push(rows.reduce((sum, { value: text = "" }) => sum + text.length, 0));
    return rows;
  }) as typeof from.sql.exec;
  const stream = from.machine.openSnapshot();
  let chunks = 0;
  for (let final = false; !final; chunks += 1) ({ final } = stream.next(1_000_000));
  expect(chunks).toBeGreaterThan(10);
  expect(Math.max(...read)).toBeLessThan(1_300_000);
  expect(read.reduce((sum, bytes) => sum + bytes, 0)).toBe(30 * value.length);
});

test("what changes behind the cursor, and what goes, is in the copy too", () => {
  const from = populated();
  const to = copy(from, 3_000, (chunk) => {
    if (chunk > 30) return;
    from.set(`key/${chunk}`, "Y2hhbmdlZA==");
    from.set(`key/new/${chunk}`);
    from.apply({ type: "kv.delete", key: `key/${chunk + 1}` });
    from.deregister({ Node: `n${chunk}` });
  });
  expect(visible(to)).toEqual(visible(from));
  expect((from.read("catalog.nodes", {}).value as unknown[]).length).toBeLessThan(30);
});

test("entries applied after the copy have the same effect on both", () => {
  const from = populated();
  const to = copy(from, 5_000, () => undefined);
  for (const harness of [from, to]) {
    harness.register({ Node: "n1", Address: "9.9.9.9" });
    harness.apply({ type: "kv.delete-tree", prefix: "key/" });
  }
  expect(visible(to)).toEqual(visible(from));
});

test("answers kept from the state before are not given after an install", () => {
  const from = populated();
  const to = new StateHarness();
  to.register({ Node: "old", Address: "1.1.1.1" });
  expect(to.read("catalog.nodes", {}).value).toHaveLength(1);
  to.machine.clear();
  expect(to.read("catalog.nodes", {}).value).toEqual([]);
  const stream = from.machine.openSnapshot();
  to.machine.installRows(stream.next(100_000_000).data);
  to.machine.finishInstall(from.machine.appliedIndex);
  expect(to.read("catalog.nodes", {})).toEqual(from.read("catalog.nodes", {}));
});

test("rows of a peer with older code are completed", () => {
  const from = new StateHarness();
  const service = { Service: "web", Address: "10.0.0.2" };
  from.register({ Node: "n", Address: "10.0.0.1", Service: service });
  const { data } = from.machine.openSnapshot().next(1_000_000);
  const rows = JSON.parse(new TextDecoder().decode(data)) as { row: Record<string, unknown> }[];
  for (const { row } of rows) {
    delete row.address_key;
    delete row.commands;
  }
  const to = new StateHarness();
  to.machine.installRows(new TextEncoder().encode(JSON.stringify(rows)));
  to.machine.finishInstall(from.machine.appliedIndex);
  for (const address of ["10.0.0.1", "10.0.0.2"]) {
    const { value } = to.read("catalog.reverse", { address });
    expect(value).toEqual(from.read("catalog.reverse", { address }).value);
    expect(value).not.toBeNull();
  }
});

test("a digest goes on only where every entry was followed", () => {
  const from = new StateHarness();
  from.set("a");
  const { data } = from.machine.openSnapshot().next(1_000_000);
  const install = (index: number): StateHarness => {
    const to = new StateHarness();
    to.machine.clear();
    to.machine.installRows(data);
    to.machine.finishInstall(index);
    return to;
  };
  expect(install(1).machine.digest).toBe(from.machine.digest);
  const ahead = install(5);
  expect(ahead.machine.appliedIndex).toBe(5);
  expect(ahead.machine.digest).toBe(0);
});
