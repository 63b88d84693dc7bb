// The reads of `/v1/kv`.

import { ServiceError } from "../../../model/errors.ts";
import { encodeString } from "../../../model/json.ts";
import type { PlainRead } from "../../read.ts";
import { list } from "../../rows.ts";
import type { View } from "../../state.ts";
import { requireRead, requireShort } from "../../view.ts";
import {
  encodeKvRow,
  findKey,
  keyIndex,
  keyNamesUnder,
  keysUnder,
  newestUnder,
  prefixIndex,
  valuesLengthUnder,
} from "./entries.ts";
import { kvTopics } from "./topics.ts";

const get: PlainRead<{ key: string }> = {
  evaluate: ({ key }, view) => {
    requireRead(view, "key", key);
    const row = findKey(view, key);
    const body = row ? list([encodeKvRow(row)]) : null;
    return { index: keyIndex(view, row), body, topics: [kvTopics.key(key)] };
  },
};

const listUnder: PlainRead<{ prefix: string }> = {
  evaluate: ({ prefix }, view) => {
    requireList(view, prefix);
    requireShort(view, valuesLengthUnder(view, prefix));
    const rows = keysUnder(view, prefix).filter(({ key }) => mayRead(view, key));
    const body = rows.length === 0 ? null : list(rows.map((row) => encodeKvRow(row)));
    return { index: indexUnder(view, prefix), body, topics: [kvTopics.prefix(prefix)] };
  },
};

const names: PlainRead<{ prefix: string; separator?: string }> = {
  evaluate: ({ prefix, separator = "" }, view) => {
    requireList(view, prefix);
    const keys = keyNamesUnder(view, prefix)
      .map(({ key }) => key)
      .filter((key) => mayRead(view, key));
    const cut = separator === "" ? keys : [...new Set(keys.map(cutAfter(prefix, separator)))];
    return {
      index: indexUnder(view, prefix),
      body: cut.length === 0 && prefix !== "" ? null : list(cut.map(encodeString)),
      topics: [kvTopics.prefix(prefix)],
    };
  },
};

export const kvReads = { "kv.get": get, "kv.list": listUnder, "kv.keys": names };

function mayRead(view: View, key: string): boolean {
  return view.authorizer.unrestricted || view.authorizer.allows("key", key, "read");
}

/** Where it was asked for, listing is a permission of its own. */
function requireList({ acl, authorizer }: View, prefix: string): void {
  if (!acl.keyListPolicy || authorizer.allows("key", prefix, "list")) return;
  throw new ServiceError("permission-denied", "Permission denied");
}

function indexUnder(view: View, prefix: string): number {
  return prefixIndex(view, prefix, prefix === "" ? 0 : newestUnder(view, prefix));
}

/** Shortens a key to what ends with the first separator beyond the prefix. */
function cutAfter(prefix: string, separator: string): (key: string) => string {
  return (key) => {
    const at = key.indexOf(separator, prefix.length);
    return at < 0 ? key : key.slice(0, at + separator.length);
  };
}
