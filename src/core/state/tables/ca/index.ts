// Connect's certificate authority. All its commands are the leader's own: it makes keys and certificates, which takes
// time and randomness, and proposes what came of it.

import { integer, flag, text } from "../../../model/schema.ts";
import type { Field, StructType } from "../../../model/schema.ts";
import { admitAll, command, defineArea } from "../../area.ts";
import { caArchive } from "./archive.ts";
import {
  caConfigurationTable,
  caIntermediateTable,
  caKeyTable,
  caRootTable,
  configureCa,
  initializeCa,
  prepareCa,
  pruneRoots,
  takeSerials,
} from "./authority.ts";
import type { KeptConfiguration, NewRoot } from "./authority.ts";
import {
  type Followed,
  followPrimary,
  type NewIntermediate,
  type PrimaryRoots,
} from "./following.ts";
import { caReads } from "./reads.ts";
import { rootSchema } from "./shapes.ts";

const newRootSchema = {
  kind: "struct",
  goName: "NewRoot",
  fields: { root: { type: rootSchema }, privateKey: text, given: flag },
} as const satisfies StructType;

const keptSchema = {
  kind: "struct",
  goName: "KeptConfiguration",
  fields: {
    provider: text,
    config: { type: { kind: "map", value: { kind: "any" } } },
    force: flag,
  } satisfies Record<keyof KeptConfiguration, Field>,
} as const satisfies StructType;

const rootsSchema = {
  kind: "struct",
  goName: "PrimaryRoots",
  fields: {
    clusterId: text,
    active: { type: rootSchema },
    replaced: {
      type: {
        kind: "list",
        item: {
          kind: "struct",
          goName: "ReplacedRoot",
          fields: { root: { type: rootSchema }, rotatedOutMs: integer },
        },
      },
    },
  } satisfies Record<keyof PrimaryRoots, Field>,
} as const satisfies StructType;

const intermediateSchema = {
  kind: "struct",
  goName: "NewIntermediate",
  fields: {
    privateKey: text,
    given: flag,
    certificate: text,
    renewMs: integer,
  } satisfies Record<keyof NewIntermediate, Field>,
} as const satisfies StructType;

export const ca = defineArea({
  name: "ca",
  archive: caArchive,
  tables: [caConfigurationTable, caRootTable, caKeyTable, caIntermediateTable],
  commands: {
    "ca.initialize": command<
      { clusterId: string; configuration: KeptConfiguration; first: NewRoot },
      boolean
    >({
      shape: {
        clusterId: text,
        configuration: { type: keptSchema },
        first: { type: newRootSchema },
      },
      admit: admitAll,
      apply: (change, { clusterId, configuration, first }) =>
        initializeCa(change, clusterId, configuration, first),
    }),
    /** The beginning in a secondary datacenter: what signs is decided with the primary's roots. */
    "ca.prepare": command<{ clusterId: string; configuration: KeptConfiguration }, boolean>({
      shape: { clusterId: text, configuration: { type: keptSchema } },
      admit: admitAll,
      apply: (change, { clusterId, configuration }) => prepareCa(change, clusterId, configuration),
    }),
    "ca.follow": command<Followed, true>({
      shape: {
        roots: { type: rootsSchema },
        intermediate: { type: intermediateSchema },
        configuration: { type: { kind: "list", item: keptSchema } },
      },
      admit: admitAll,
      apply: (change, followed) => (followPrimary(change, followed), true),
    }),
    /** The first of `count` serial numbers for certificates of the authority itself. */
    "ca.serial": command<{ count: number }, number>({
      shape: { count: integer },
      admit: (given, { permit }) => {
        permit("operator", "", "write");
        return given;
      },
      apply: (change, { count }) => takeSerials(change, count),
    }),
    /** A number for a certificate of `service`, and the index that it carries. */
    "ca.issue": command<{ service: string }, { serial: number; index: number }>({
      shape: { service: text },
      admit: (given, { permit }) => {
        permit("service", given.service, "write");
        return given;
      },
      apply: (change) => ({ serial: takeSerials(change, 1), index: change.index }),
    }),
    /** The same for a certificate of a node's agent. */
    "ca.issue-agent": command<{ node: string }, { serial: number; index: number }>({
      shape: { node: text },
      admit: (given, { permit }) => {
        permit("node", given.node, "write");
        return given;
      },
      apply: (change) => ({ serial: takeSerials(change, 1), index: change.index }),
    }),
    /** `next`: none, or one root that takes over. */
    "ca.configure": command<
      { expected: string; configuration: KeptConfiguration; next: NewRoot[] },
      true
    >({
      shape: {
        expected: text,
        configuration: { type: keptSchema },
        next: { type: { kind: "list", item: newRootSchema } },
      },
      admit: (given, { permit }) => {
        permit("operator", "", "write");
        return given;
      },
      apply: (change, { expected, configuration, next }) => (
        configureCa(change, expected, configuration, next[0] ?? null),
        true
      ),
    }),
    "ca.prune": command<{ untilMs: number }, number>({
      shape: { untilMs: integer },
      admit: admitAll,
      apply: (change, { untilMs }) => pruneRoots(change, untilMs),
    }),
  },
  reads: caReads,
});
