// Configuration entries, and the discovery chains that they make.

import { entryProblem, normalizeEntry } from "../../../model/config-entry/rules.ts";
import { invalidKind } from "../../../model/config-entry/decode.ts";
import { configSchemas, isConfigKind } from "../../../model/config-entry/schemas.ts";
import { globalProxyName } from "../../../model/config-entry/types.ts";
import type { ConfigEntry, ConfigKind } from "../../../model/config-entry/types.ts";
import { ServiceError } from "../../../model/errors.ts";
import { text, zeroStruct } from "../../../model/schema.ts";
import type { Field } from "../../../model/schema.ts";
import type { Uint64Text } from "../../../model/types.ts";
import { command, defineArea } from "../../area.ts";
import type { Admission } from "../../area.ts";
import { fitShape } from "../../shape.ts";
import type { Change } from "../../state.ts";
import { configArchive } from "./archive.ts";
import { configTable, findRow, linkTable, putEntry, removeEntry } from "./entries.ts";
import { requireFit } from "./fit.ts";
import { permitWrite } from "./permissions.ts";
import { configReads } from "./reads.ts";

const entryShape = { kind: text, entry: { type: { kind: "any" } } satisfies Field } as const;

export const config = defineArea({
  name: "config",
  archive: configArchive,
  tables: [configTable, linkTable],
  commands: {
    "config.set": command<ConfigEntry, true>({
      shape: entryShape,
      admit: admitEntry,
      apply: (change, given) => (setEntry(change, given), true),
    }),
    /** `index` "0": only if there is none. */
    "config.cas": command<ConfigEntry & { index: Uint64Text }, boolean>({
      shape: { ...entryShape, index: { type: { kind: "uint64" } } },
      admit: (given, admission) => ({ ...admitEntry(given, admission), index: given.index }),
      apply: (change, { index, ...given }) => {
        const existing = findRow(change, given.kind, given.entry.Name);
        if (index !== String(existing?.modify_index ?? 0)) return false;
        setEntry(change, given);
        return true;
      },
    }),
    "config.delete": command<{ kind: ConfigKind; name: string }, true>({
      shape: { kind: text, name: text },
      admit: ({ kind, name: given }, admission) => {
        const schema = requireKind(kind);
        const name = kind === "proxy-defaults" ? globalProxyName : given;
        const entry = { ...zeroStruct(schema), Name: name } as unknown;
        permitWrite({ kind, entry } as ConfigEntry, admission);
        return { kind, name };
      },
      apply: (change, { kind, name }) => {
        if (!findRow(change, kind, name)) return true;
        requireFit(change, { kind, name, entry: null });
        removeEntry(change, kind, name);
        return true;
      },
    }),
  },
  reads: configReads,
});

/** Judges an entry by itself, and completes it. */
function admitEntry(given: ConfigEntry, admission: Admission): ConfigEntry {
  const schema = requireKind(given.kind);
  const entry: unknown = fitShape(schema, given.entry, given.kind);
  const completed = normalizeEntry({ kind: given.kind, entry } as ConfigEntry);
  const problem = entryProblem(completed);
  if (problem !== null) throw new ServiceError("invalid", problem);
  permitWrite(completed, admission);
  return completed;
}

function requireKind(kind: string) {
  if (!isConfigKind(kind)) throw new ServiceError("invalid", invalidKind(kind));
  return configSchemas[kind];
}

function setEntry(change: Change, given: ConfigEntry): void {
  requireFit(change, { kind: given.kind, name: given.entry.Name, entry: given.entry });
  putEntry(change, given);
}
