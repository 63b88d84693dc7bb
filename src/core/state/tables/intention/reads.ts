// The reads of `/v1/connect/intentions`, and what an agent needs to judge a connection.

import { ServiceError } from "../../../model/errors.ts";
import { concernsSource, intentionSchema } from "../../../model/intention.ts";
import type { ServiceName } from "../../../model/intention.ts";
import { encodeString, sortedKeys } from "../../../model/json.ts";
import type { PlainRead } from "../../read.ts";
import { list } from "../../rows.ts";
import type { State, View } from "../../state.ts";
import { applyFilter, requireRead } from "../../view.ts";
import type { Topic } from "../../watch.ts";
import { connectionDefault } from "./default.ts";
import {
  allIntentions,
  encodeIntentionRow,
  findIntention,
  findPair,
  intentionOf,
  intentionsIndex,
  intentionsMatching,
  intentionTopics,
} from "./intentions.ts";
import type { IntentionPair, IntentionRow } from "./intentions.ts";

const all: PlainRead<{ filter?: string }> = {
  evaluate: ({ filter }, view) => {
    const texts = allIntentions(view)
      .filter((row) => maySee(view, row))
      .map(encodeIntentionRow);
    return answer(view, list(applyFilter(texts, filter, intentionSchema)));
  },
};

const one: PlainRead<{ id: string }> = {
  evaluate: ({ id }, view) => {
    const row = findIntention(view, id, { code: "bad-request", prefix: "" });
    return answerOne(view, row, intentionTopics.one(row?.id ?? ""));
  },
};

const exact: PlainRead<IntentionPair> = {
  evaluate: (pair, view) => answerOne(view, findPair(view, pair), intentionTopics.pair(pair)),
};

/** `names`: by the text under which each is answered. */
const match: PlainRead<{ by: "source" | "destination"; names: Record<string, ServiceName> }> = {
  evaluate: ({ by, names }, view) => {
    for (const { name } of Object.values(names)) {
      if (name !== "") requireRead(view, "intention", name);
    }
    const members = sortedKeys(names).map((key) => {
      const rows = intentionsMatching(view, by, names[key] as ServiceName);
      const found = rows.length === 0 ? "null" : list(rows.map(encodeIntentionRow));
      return `${encodeString(key)}:${found}`;
    });
    return answer(view, `{${members.join(",")}}`);
  },
};

const check: PlainRead<IntentionPair> = {
  evaluate: ({ source, destination }, view) => {
    if (destination.name !== "") requireRead(view, "service", destination.name);
    const decisive = intentionsMatching(view, "destination", destination)
      .map(intentionOf)
      .find((intention) => concernsSource(intention, source));
    const allowed = decisive ? decisive.Action === "allow" : connectionDefault(view).allowed;
    return answer(view, `{"Allowed":${allowed}}`);
  },
};

/** For whoever may offer the service `target`: which intentions are about it, and what holds without one. */
const about: PlainRead<{ target: ServiceName }> = {
  evaluate: ({ target }, view) => {
    const { authorizer } = view;
    if (!authorizer.unrestricted && !authorizer.allows("service", target.name, "write")) {
      throw new ServiceError("permission-denied", "Permission denied");
    }
    const intentions = intentionsMatching(view, "destination", target).map(({ body }) => body);
    const { allowed, reason } = connectionDefault(view);
    const otherwise = `{"Allowed":${allowed},"Reason":${encodeString(reason)}}`;
    return answer(view, `{"Intentions":${list(intentions)},"Default":${otherwise}}`);
  },
};

export const intentionReads = {
  "intention.list": all,
  "intention.get": one,
  "intention.exact": exact,
  "intention.match": match,
  "intention.check": check,
  "intention.about": about,
};

/** Whoever may read either end may see it. */
function maySee({ authorizer }: View, row: IntentionRow): boolean {
  if (authorizer.unrestricted) return true;
  const ends = [row.source_name, row.destination_name];
  return ends.some((name) => authorizer.allows("intention", name, "read"));
}

/** None is an answer at once, also for those who would wait. */
function answerOne(view: View, row: IntentionRow | undefined, topic: Topic) {
  if (!row) throw new ServiceError("not-found", "Intention not found");
  if (!maySee(view, row)) throw new ServiceError("permission-denied", "Permission denied");
  return { ...answer(view, encodeIntentionRow(row)), topics: [topic] };
}

function answer(state: State, body: string) {
  return { index: state.meta.index(intentionsIndex), body, topics: [intentionTopics.all] };
}
