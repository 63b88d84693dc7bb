// Calls to many objects, a few at a time.

import { limits } from "../../src/core/model/limits.ts";

/**
 * Does `work` with each item, with at most `limits.connectionsAtOnceMax` at a time: the platform lets further
 * connections of a request wait, unseen, while the time that they were given runs. Results in the order of the items.
 * Rejects with the first failure, and begins nothing more.
 */
export async function fewAtOnce<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const queue = items.entries();
  let hasFailed = false;
  const worker = async (): Promise<void> => {
    for (const [at, item] of queue) {
      if (hasFailed) return;
      try {
        results[at] = await work(item);
      } catch (failure) {
        hasFailed = true;
        throw failure;
      }
    }
  };
  const workers = Math.min(limits.connectionsAtOnceMax, items.length);
  await Promise.all(Array.from({ length: workers }, worker));
  return results;
}
