// The certificate authority in archives. Consul keeps the key that signs in a record of its provider, found by a hash
// of what the provider was configured with, and the counter of serial numbers among the indexes.

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

import type { CaConfiguration } from "../../../model/ca-configuration.ts";
import type { JsonValue } from "../../../model/json.ts";
import { flag, integer, stringList, text } from "../../../model/schema.ts";
import { goTime, zeroTime } from "../../../model/time.ts";
import { raftIndexes, recordTypes } from "../../archive/format.ts";
import type { AreaArchive, RecordKind } from "../../archive/kinds.ts";
import { indexed, pack, unpack, type WireStruct } from "../../archive/wire.ts";
import {
  caConfigurationIndex,
  caConfigurationTable,
  caIntermediateTable,
  caKeyTable,
  caRootsIndex,
  caRootTable,
  rootOf,
  theOne,
} from "./authority.ts";
import type { CaRoot, CaRootRow } from "./authority.ts";

const time = { type: { kind: "time" } } as const;

const rootSchema: WireStruct = {
  kind: "struct",
  fields: {
    ID: text,
    Name: text,
    SerialNumber: { type: { kind: "uint64" } },
    SigningKeyID: text,
    ExternalTrustDomain: text,
    NotBefore: time,
    NotAfter: time,
    RootCert: text,
    IntermediateCerts: { type: stringList },
    PrivateKeyType: text,
    PrivateKeyBits: integer,
    SigningCert: text,
    SigningKey: text,
    Active: flag,
    RotatedOutAt: time,
  },
};

const roots: RecordKind = {
  type: recordTypes.caRoot,
  *save(copy) {
    for (const row of copy.rows(caRootTable)) {
      const record = {
        ...rootOf(row),
        Active: row.active === 1,
        RotatedOutAt: row.rotated_out_ms === 0 ? zeroTime : goTime(row.rotated_out_ms),
        CreateIndex: row.create_index,
        ModifyIndex: row.modify_index,
      };
      yield (packer) => pack(packer, indexed(rootSchema), record);
    }
  },
  load(loading, body) {
    const packed = unpack(rootSchema, body) as CaRoot & { Active: boolean; RotatedOutAt: string };
    const { Active, RotatedOutAt, ...rest } = packed;
    const {
      SigningCert: _cert,
      SigningKey: _key,
      ...root
    } = rest as CaRoot & { SigningCert: string; SigningKey: string };
    loading.table(caRootTable).put({
      id: root.ID,
      active: Active ? 1 : 0,
      rotated_out_ms: RotatedOutAt === zeroTime ? 0 : Date.parse(RotatedOutAt),
      ...raftIndexes(loading, body),
      body: JSON.stringify(root),
    });
  },
};

interface ProviderState {
  ID: string;
  PrivateKey: string;
  RootCert: string;
  IntermediateCert: string;
}

const stateSchema: WireStruct = {
  kind: "struct",
  fields: { ID: text, PrivateKey: text, RootCert: text, IntermediateCert: text },
};

const providerStates: RecordKind = {
  type: recordTypes.caProviderState,
  *save(copy) {
    for (const row of copy.rows(caRootTable)) {
      const key = row.active === 1 ? copy.row(caKeyTable, row.id) : undefined;
      if (!key) continue;
      const given = key.given === 1 ? key.private_key : "";
      const config = JSON.parse(copy.row(caConfigurationTable, theOne)?.config ?? "{}") as Config;
      const intermediate = copy.row(caIntermediateTable, row.id);
      const state = {
        ID: providerStateId(given, textOf(config.RootCert), intermediate === undefined),
        PrivateKey: key.private_key,
        RootCert: rootOf(row).RootCert,
        IntermediateCert: intermediate?.certificate ?? "",
        CreateIndex: row.create_index,
        ModifyIndex: row.modify_index,
      };
      yield (packer) => pack(packer, indexed(stateSchema), state);
    }
  },
  /** Keys of roots that no longer sign are of no use. */
  load(loading, body) {
    const state = unpack(stateSchema, body) as ProviderState;
    raftIndexes(loading, body);
    const root = loading
      .table(caRootTable)
      .select("WHERE active = 1 ORDER BY id")
      .find((row: CaRootRow) => rootOf(row).RootCert.trim() === state.RootCert.trim());
    if (!root) return;
    const row = { root_id: root.id, given: 0, private_key: state.PrivateKey };
    loading.table(caKeyTable).put(row);
    if (state.IntermediateCert === "") return;
    // How long it lives was read by whoever got it; another one is wanted as soon as there can be one.
    const { IntermediateCert: certificate } = state;
    loading.table(caIntermediateTable).put({ root_id: root.id, renew_ms: 0, certificate });
  },
};

/** By which Consul's provider finds its state again. */
function providerStateId(privateKey: string, rootCert: string, isPrimary: boolean): string {
  const hash = bytesToHex(sha256(utf8ToBytes(`${privateKey},${rootCert},${isPrimary}`)));
  return (hash.match(/../g) ?? []).join(":");
}

type Config = Record<string, JsonValue>;

function textOf(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}

const configurationSchema: WireStruct = {
  kind: "struct",
  fields: {
    ClusterID: text,
    Provider: text,
    Config: { type: { kind: "map", value: { kind: "any" } } },
    ForceWithoutCrossSigning: flag,
    State: { type: { kind: "map", value: { kind: "string" } } },
  },
};

const configuration: RecordKind = {
  type: recordTypes.caConfiguration,
  *save(copy) {
    for (const row of copy.rows(caConfigurationTable)) {
      const config = JSON.parse(row.config) as Config;
      const keys = [...copy.rows(caKeyTable)].filter(({ given }) => given === 1);
      const record = {
        ClusterID: row.cluster_id,
        Provider: row.provider,
        Config: { ...config, ...(keys[0] && { PrivateKey: keys[0].private_key }) },
        ForceWithoutCrossSigning: row.force === 1,
        CreateIndex: row.create_index,
        ModifyIndex: row.modify_index,
      };
      yield (packer) => pack(packer, indexed(configurationSchema), record);
    }
  },
  load(loading, body) {
    const record = unpack(configurationSchema, body) as CaConfiguration & {
      ClusterID: string;
      Config: Record<string, JsonValue> | null;
    };
    const { PrivateKey: given, ...config } = record.Config ?? {};
    const indexes = raftIndexes(loading, body);
    loading.identify(record.ClusterID);
    loading.setIndex(caConfigurationIndex, indexes.modify_index);
    loading.table(caConfigurationTable).put({
      id: theOne,
      cluster_id: record.ClusterID,
      provider: record.Provider,
      config: JSON.stringify(config),
      force: record.ForceWithoutCrossSigning ? 1 : 0,
      serial: 0,
      ...indexes,
    });
    if (textOf(given) === "") return;
    const keys = loading.table(caKeyTable);
    for (const row of keys.select("ORDER BY root_id")) keys.put({ ...row, given: 1 });
  },
};

const serialIndex = "connect-ca-builtin-serial";

export const caArchive: AreaArchive = {
  kinds: [roots, providerStates, configuration],
  indexes: [caRootsIndex],
  ownIndexes: {
    *save(copy) {
      yield [serialIndex, copy.row(caConfigurationTable, theOne)?.serial ?? 0];
    },
    load(loading, name, value) {
      const row = name === serialIndex ? loading.table(caConfigurationTable).get(theOne) : null;
      if (row) loading.table(caConfigurationTable).put({ ...row, serial: value });
      return name === serialIndex;
    },
  },
};
