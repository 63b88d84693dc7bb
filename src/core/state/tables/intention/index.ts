// Intentions: which services may connect to which. Ids are drawn by whoever proposes; times are the log's.

import { ServiceError } from "../../../model/errors.ts";
import { completeIntention, intentionDefinitionSchema } from "../../../model/intention.ts";
import type { IntentionDefinition, ServiceName } from "../../../model/intention.ts";
import { text } from "../../../model/schema.ts";
import type { StructType } from "../../../model/schema.ts";
import type { Admission } from "../../area.ts";
import { command, defineArea } from "../../area.ts";
import { intentionArchive } from "./archive.ts";
import {
  absent,
  createIntention,
  deleteIntention,
  deletePair,
  findIntention,
  findPair,
  intentionTable,
  pairOf,
  updateIntention,
  upsertIntention,
} from "./intentions.ts";
import type { IntentionPair, IntentionRow } from "./intentions.ts";
import { intentionReads } from "./reads.ts";

/** An intention to be kept, and the id that a new one gets. */
export interface KeptIntention {
  id: string;
  intention: IntentionDefinition;
}

const serviceNameSchema: StructType = {
  kind: "struct",
  goName: "ServiceName",
  fields: { ns: text, name: text } satisfies Record<keyof ServiceName, typeof text>,
};
const kept = { id: text, intention: { type: intentionDefinitionSchema } };
const pair = { source: { type: serviceNameSchema }, destination: { type: serviceNameSchema } };

export const intention = defineArea({
  name: "intention",
  archive: intentionArchive,
  tables: [intentionTable],
  commands: {
    /** Answers `id`, which the proposer drew. */
    "intention.create": command<KeptIntention, string>({
      shape: kept,
      admit: ({ id, intention: given }, { permit }) => {
        permit("intention", given.DestinationName, "write");
        if (given.ID !== "") {
          throw new ServiceError("invalid", "ID must be empty when creating a new intention");
        }
        return { id, intention: completeIntention(given) };
      },
      apply: (change, { id, intention: given }) => (createIntention(change, id, given), id),
    }),
    "intention.update": command<KeptIntention, true>({
      shape: kept,
      admit: ({ id, intention: given }, admission) => {
        admission.permit("intention", given.DestinationName, "write");
        const row = findIntention(admission.state, id);
        if (!row) throw new ServiceError("invalid", absent("modify", id));
        permitWrite(admission, row);
        return { id, intention: completeIntention(given) };
      },
      apply: (change, { id, intention: given }) => (updateIntention(change, id, given), true),
    }),
    /** Keeps the intention of its pair, under `id` when it is a new one. */
    "intention.upsert": command<KeptIntention, true>({
      shape: kept,
      admit: ({ id, intention: given }, admission) => {
        admission.permit("intention", given.DestinationName, "write");
        const row = findPair(admission.state, pairOf(given));
        if (row) permitWrite(admission, row);
        return { id, intention: completeIntention(given) };
      },
      apply: (change, { id, intention: given }) => (upsertIntention(change, id, given), true),
    }),
    "intention.delete": command<{ id: string }, true>({
      shape: { id: text },
      admit: (given, admission) => {
        const row = findIntention(admission.state, given.id);
        if (!row) throw new ServiceError("invalid", absent("delete", given.id));
        permitWrite(admission, row);
        return given;
      },
      apply: (change, { id }) => (deleteIntention(change, id), true),
    }),
    "intention.delete-exact": command<IntentionPair, true>({
      shape: pair,
      admit: (given, { permit }) => {
        permit("intention", given.destination.name, "write");
        return given;
      },
      apply: (change, given) => (deletePair(change, given), true),
    }),
  },
  reads: intentionReads,
});

/** Whoever changes an intention needs the permission for what it was, too. */
function permitWrite({ permit }: Admission, row: IntentionRow): void {
  permit("intention", row.destination_name, "write");
}
