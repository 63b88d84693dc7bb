// What the first leader gives a datacenter, and what later ones leave alone.

import { expect, test } from "vitest";
import { Founding } from "../../../durable/leader/founding.ts";
import type { ServerRequests } from "../../../durable/server/requests.ts";
import { decodeEntry } from "../../../src/core/model/config-entry/decode.ts";
import { ServiceError } from "../../../src/core/model/errors.ts";
import type { Command } from "../../../src/core/state/commands.ts";
import { clusterId } from "../../../src/core/state/tables/cluster/identity.ts";
import { seededRandom } from "../../../src/core/lib/random.ts";
import { StateHarness } from "../../support/state-harness.ts";

function founding(harness: StateHarness, entries: readonly object[]) {
  const warnings: string[] = [];
  let refusal: Error | null = null;
  const writeHere = ({ write }: { write: Command }) => {
    if (refusal) return Promise.reject(refusal);
    const { outcome } = harness.apply(write);
    return outcome.ok
      ? Promise.resolve(null)
      : Promise.reject(new ServiceError(outcome.error.code, outcome.error.message));
  };
  const random = seededRandom(1);
  const duty = new Founding({
    machine: harness.machine,
    requests: { writeHere } as unknown as ServerRequests,
    configEntries: entries.map((entry) => decodeEntry(JSON.stringify(entry))),
    clusterId: undefined,
    random: () => random.next(),
    warn: (line) => warnings.push(line),
  });
  return { duty, warnings, refuse: (error: Error | null) => (refusal = error) };
}

const kinds = (harness: StateHarness) =>
  (harness.read("config.list", { kind: "" }).value as { Kind: string; Protocol?: string }[]).map(
    ({ Kind, Protocol = "" }) => `${Kind} ${Protocol}`.trim(),
  );
const defaults = { kind: "service-defaults", name: "web", protocol: "HTTP" };
const splitter = { kind: "service-splitter", name: "web", splits: [{ weight: 100 }] };

test("an identity is drawn once, as a UUID", async () => {
  const harness = new StateHarness();
  await founding(harness, []).duty.complete();
  const id = harness.machine.ask(clusterId);
  expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  const before = harness.machine.appliedIndex;
  await founding(harness, []).duty.complete();
  expect([harness.machine.ask(clusterId), harness.machine.appliedIndex]).toEqual([id, before]);
});

test("entries are created in order where there is none of that name", async () => {
  const harness = new StateHarness();
  await founding(harness, [defaults, splitter]).duty.complete();
  expect(kinds(harness)).toEqual(["service-defaults http", "service-splitter"]);
  const { duty } = founding(harness, [{ ...defaults, name: "WEB", protocol: "grpc" }]);
  await duty.complete();
  expect(kinds(harness)).toEqual(["service-defaults http", "service-splitter"]);
});

test("one that does not fit ends it with a warning, in Consul's words", async () => {
  const harness = new StateHarness();
  const { duty, warnings } = founding(harness, [splitter, defaults]);
  await duty.complete();
  expect(kinds(harness)).toEqual([]);
  expect(warnings).toEqual([
    'Failed to apply configuration entry "service-splitter" / "web": discovery chain "web" uses a ' +
      'protocol "tcp" that does not permit advanced routing or splitting behavior',
  ]);
});

test("what cannot be written now is left for another time", async () => {
  const harness = new StateHarness();
  const { duty, refuse } = founding(harness, [defaults]);
  refuse(new ServiceError("no-leader", "No cluster leader"));
  await expect(duty.complete()).rejects.toThrow("No cluster leader");
  refuse(null);
  await duty.complete();
  expect(kinds(harness)).toEqual(["service-defaults http"]);
});
