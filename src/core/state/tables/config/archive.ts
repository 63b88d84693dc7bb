// Configuration entries in archives: each record is bytes that hold its kind and a request for it.

import { type Packed, Packer, PackError, Unpacker } from "../../../lib/msgpack.ts";
import { relatedServices } from "../../../model/config-entry/rules.ts";
import { configSchemas } from "../../../model/config-entry/schemas.ts";
import type { ConfigEntry, ConfigKind } from "../../../model/config-entry/types.ts";
import { encode } from "../../../model/schema.ts";
import { raftIndexes, recordTypes } from "../../archive/format.ts";
import type { AreaArchive } from "../../archive/kinds.ts";
import { expectMap, indexed, pack, unpack } from "../../archive/wire.ts";
import { nameKey } from "../../rows.ts";
import { configIndex, configTable, entryOf, linkTable } from "./entries.ts";
import { configChanged } from "./events.ts";

export const configArchive: AreaArchive = {
  indexes: [configIndex],
  kinds: [
    {
      type: recordTypes.configEntry,
      *save(copy) {
        for (const row of copy.rows(configTable)) {
          const { create_index: CreateIndex, modify_index: ModifyIndex } = row;
          const entry = { ...entryOf(row), CreateIndex, ModifyIndex };
          yield (packer) => packer.raw(entryBytes(row.kind as ConfigKind, entry));
        }
      },
      load(loading, body) {
        const { kind, packed } = entryIn(body);
        const schema = configSchemas[kind];
        const given = { kind, entry: unpack(schema, packed) } as ConfigEntry;
        const { entry } = given;
        const name_key = nameKey(entry.Name);
        const row = { kind, name_key, ...raftIndexes(loading, packed) };
        loading.table(configTable).put({ ...row, body: encode(schema, entry) });
        for (const service of new Set(relatedServices(given).map(nameKey))) {
          loading.table(linkTable).put({ service_key: service, kind, name_key });
        }
        // What gateways lead to follows from their entries and from services, which come before them.
        const change = { kind: given.kind, name: entry.Name, before: null, after: entry };
        loading.at(row.modify_index).emit(configChanged, change);
      },
    },
  ],
};

function entryBytes(kind: ConfigKind, entry: object): Uint8Array {
  const packer = new Packer();
  packer.text(kind);
  packer.map(4);
  packer.text("Datacenter");
  packer.text("");
  packer.text("Entry");
  if (kind === boxedKind) packer.raw(packed(kind, entry));
  else pack(packer, indexed(configSchemas[kind]), entry);
  packer.text("Op");
  packer.text("");
  packer.text("Token");
  packer.text("");
  return packer.take();
}

/** Throws PackError. */
function entryIn(body: Packed): { kind: ConfigKind; packed: Packed } {
  if (!(body instanceof Uint8Array)) throw new PackError("a config entry is no bytes");
  const unpacker = new Unpacker(body);
  const name = unpacker.value();
  const kind = name instanceof Uint8Array ? new TextDecoder().decode(name) : "";
  if (!Object.hasOwn(configSchemas, kind)) {
    throw new PackError(`invalid config entry kind: ${kind}`);
  }
  const entry = expectMap(unpacker.value()).get("Entry") ?? null;
  const isBoxed = entry instanceof Uint8Array;
  return { kind: kind as ConfigKind, packed: isBoxed ? new Unpacker(entry).value() : entry };
}

/** Go writes these by their own method, which makes bytes of them once more. */
const boxedKind: ConfigKind = "proxy-defaults";

function packed(kind: ConfigKind, entry: object): Uint8Array {
  const packer = new Packer();
  pack(packer, indexed(configSchemas[kind]), entry);
  return packer.take();
}
