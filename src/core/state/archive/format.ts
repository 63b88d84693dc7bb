// The order of an archive's records, and their bytes: a header, then for each record a byte for its type and its body
// (semantics §18). Each type of record is saved and restored by the area that keeps what it tells of.

import { type Packed, PackError, Unpacker } from "../../lib/msgpack.ts";
import { expectMap } from "./wire.ts";
import type { AreaArchive, Loading, RecordKind, StateCopy, WriteRecord } from "./kinds.ts";

const decoder = new TextDecoder();

export const recordTypes = {
  registration: 0,
  kv: 2,
  session: 3,
  legacyAcl: 4,
  tombstone: 5,
  coordinates: 6,
  query: 7,
  autopilot: 9,
  aclBootstrap: 11,
  intention: 12,
  caRoot: 13,
  caProviderState: 14,
  caConfiguration: 15,
  index: 16,
  aclToken: 17,
  aclPolicy: 19,
  configEntry: 22,
  aclRole: 23,
  bindingRule: 25,
  authMethod: 27,
  chunkingState: 29,
  federationState: 30,
} as const;

const order: readonly number[] = [
  ...[recordTypes.registration, recordTypes.coordinates, recordTypes.session],
  ...[recordTypes.aclToken, recordTypes.aclPolicy, recordTypes.aclRole],
  ...[recordTypes.bindingRule, recordTypes.authMethod],
  ...[recordTypes.kv, recordTypes.tombstone, recordTypes.query, recordTypes.autopilot],
  ...[recordTypes.intention, recordTypes.caRoot, recordTypes.caProviderState],
  ...[recordTypes.caConfiguration, recordTypes.configEntry],
];

/**
 * What no other cluster can go on with: a large transaction that is under way in Consul's own log, and where the mesh
 * gateways of federated datacenters are, which their leaders say again by themselves.
 */
const passedOver: ReadonlySet<number> = new Set([
  recordTypes.chunkingState,
  recordTypes.federationState,
]);

export class ArchiveFormat {
  readonly #kinds = new Map<number, RecordKind>();
  readonly #areas: readonly AreaArchive[];

  constructor(areas: readonly AreaArchive[]) {
    this.#areas = areas;
    for (const kind of areas.flatMap(({ kinds = [] }) => kinds)) this.#kinds.set(kind.type, kind);
  }

  /** Every record of a state, each with its type. */
  *records(copy: StateCopy): Iterable<WriteRecord> {
    yield (packer) => {
      packer.map(1);
      packer.text("LastIndex");
      packer.integer(copy.index);
    };
    for (const type of order) {
      for (const write of this.#kinds.get(type)?.save?.(copy) ?? []) {
        yield (packer) => {
          packer.byte(type);
          write(packer);
        };
      }
    }
    yield* this.#indexRecords(copy);
  }

  *#indexRecords(copy: StateCopy): Iterable<WriteRecord> {
    for (const [name, value] of this.#indexes(copy)) {
      if (value === 0) continue;
      yield (packer) => {
        packer.byte(recordTypes.index);
        packer.map(2);
        packer.text("Key");
        packer.text(name);
        packer.text("Value");
        packer.integer(value);
      };
    }
  }

  *#indexes(copy: StateCopy): Iterable<[string, number]> {
    for (const { indexes = [], ownIndexes } of this.#areas) {
      for (const index of indexes) yield [index.name, copy.indexOf(index)];
      yield* ownIndexes?.save?.(copy) ?? [];
    }
  }

  /** Restores records that stand whole in `bytes`; `first`: the header comes before them. Throws PackError. */
  load(loading: Loading, bytes: Uint8Array, first: boolean): void {
    const unpacker = new Unpacker(bytes);
    if (first) loading.note(indexIn(unpacker.value(), "LastIndex"));
    while (!unpacker.isAtEnd) this.#loadRecord(loading, unpacker);
  }

  #loadRecord(loading: Loading, unpacker: Unpacker): void {
    const type = unpacker.byte();
    if (type === recordTypes.index) return this.#loadIndex(loading, unpacker.value());
    const kind = this.#kinds.get(type);
    if (!kind) {
      if (!passedOver.has(type)) throw new PackError(`unrecognized msg type ${type}`);
      unpacker.skip();
      return;
    }
    kind.load(loading, unpacker.value());
  }

  /** One that no area knows is of something that is not kept here. */
  #loadIndex(loading: Loading, body: Packed): void {
    const key = expectMap(body).get("Key");
    if (!(key instanceof Uint8Array)) throw new PackError("an index has no name");
    const name = decoder.decode(key);
    const value = indexIn(body, "Value");
    for (const { indexes = [], ownIndexes } of this.#areas) {
      const index = indexes.find((each) => each.name === name);
      if (index) loading.setIndex(index, value);
      if (index || ownIndexes?.load?.(loading, name, value)) return loading.note(value);
    }
  }
}

/** Where the record that begins at `at` ends. Throws PackEnd when it goes on beyond the bytes. */
export function recordEnd(bytes: Uint8Array, at: number, isHeader: boolean): number {
  const unpacker = new Unpacker(bytes, at);
  if (!isHeader) unpacker.byte();
  unpacker.skip();
  return unpacker.at;
}

/** An index of a record. Throws PackError. */
function indexIn(body: Packed, name: string): number {
  const value = expectMap(body).get(name) ?? 0;
  if (typeof value === "number" && value >= 0) return value;
  throw new PackError(`${name} is no index`);
}

/** The indexes that every record has. */
export function raftIndexes(
  { note }: Loading,
  body: Packed,
): { create_index: number; modify_index: number } {
  const create_index = indexIn(body, "CreateIndex");
  const modify_index = indexIn(body, "ModifyIndex");
  note(Math.max(create_index, modify_index));
  return { create_index, modify_index };
}
