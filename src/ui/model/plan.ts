// What is going to be done, before it is: what it is about, what follows from it, and by which requests.

export interface Write {
  method: "PUT" | "DELETE";
  /** Below the API's root, with its query. */
  path: string;
  body?: string;
}

export interface Plan {
  title: string;
  /** Everything that it is about. */
  items: readonly string[];
  /** Sentences about what follows. */
  follows: readonly string[];
  writes: readonly Write[];
  /** On the button. */
  action: string;
  /** To be typed before it may begin; null: nothing. */
  confirm: string | null;
  /** Said when it is done. */
  done: string;
  /** Writes that undo it, made before anything is done; null where there are none. */
  undo?: () => Promise<readonly Write[] | null>;
}

export const itemsShown = 20;

/** More than one thing is not done by a slip of the hand. */
export function confirmFor(items: readonly string[], name: string): string | null {
  return items.length > 1 ? name : null;
}

/** A datacenter as `path` names it. */
export function within(path: string, query: Readonly<Record<string, string>>): string {
  const parameters = new URLSearchParams(query).toString();
  return parameters === "" ? path : `${path}?${parameters}`;
}

export interface Kept {
  Key: string;
  Value: string | null;
  Flags: number | string;
}

/** As many operations as one transaction may have, and as many bytes as one request should. */
const undoKeysMax = 64;
const undoBytesMax = 400_000;

/** Puts keys back that are not there any more, all of them or none; null where there are too many. */
export function restoring(keys: readonly Kept[], dc: string): Write[] | null {
  const operations = keys.map(({ Key, Value, Flags }) => ({
    KV: { Verb: "cas", Key, Value: Value ?? "", Flags: "\u0000flags" + String(Flags), Index: 0 },
  }));
  // Flags may be larger than a number: they are written as they were read.
  const body = JSON.stringify(operations).replaceAll(/"\\u0000flags(\d+)"/g, "$1");
  if (keys.length === 0 || keys.length > undoKeysMax || body.length > undoBytesMax) return null;
  return [{ method: "PUT", path: within("v1/txn", { dc }), body }];
}
