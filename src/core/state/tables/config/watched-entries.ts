// Looking entries up on behalf of a read.

import type { ConfigEntryTypes, ConfigKind } from "../../../model/config-entry/types.ts";
import type { State } from "../../state.ts";
import type { Topic } from "../../watch.ts";
import type { EntrySource } from "./chain/source.ts";
import { configTopics, findEntry } from "./entries.ts";

/** Takes note of whatever is looked up, whether it is there or not; reads each entry once. */
export function watchedEntries(state: State, topics: Set<Topic>): EntrySource {
  const known = new Map<Topic, ConfigEntryTypes[ConfigKind] | null>();
  return {
    find<Kind extends ConfigKind>(kind: Kind, name: string): ConfigEntryTypes[Kind] | null {
      const topic = configTopics.entry(kind, name);
      if (!known.has(topic)) known.set(topic, findEntry(state, kind, name));
      topics.add(topic);
      return known.get(topic) as ConfigEntryTypes[Kind] | null;
    },
  };
}
