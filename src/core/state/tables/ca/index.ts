// Connect's certificate authority. All its commands are the leader's own: it makes keys and certificates, which takes
// time and randomness, and proposes what came of it.

import { integer, flag, text } from "../../../model/schema.ts";
import type { Field, StructType } from "../../../model/schema.ts";
import { admitAll, command, defineArea } from "../../area.ts";
import { caArchive } from "./archive.ts";
import {
  caConfigurationTable,
  caKeyTable,
  caRootTable,
  configureCa,
  initializeCa,
  pruneRoots,
  takeSerials,
} from "./authority.ts";
import type { KeptConfiguration, NewRoot } from "./authority.ts";
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

export const ca = defineArea({
  name: "ca",
  archive: caArchive,
  tables: [caConfigurationTable, caRootTable, caKeyTable],
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
