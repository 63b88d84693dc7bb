// An intention in a file: JSON as the API takes it.

import { decodeBody } from "../../../core/model/decode.ts";
import { stringMap, type StructType, text } from "../../../core/model/schema.ts";
import { Failure, messageOf } from "../../command.ts";
import type { Intention } from "./targets.ts";

const schema: StructType = {
  kind: "struct",
  goName: "api.Intention",
  fields: {
    ID: text,
    Description: text,
    SourceNS: text,
    SourceName: text,
    DestinationNS: text,
    DestinationName: text,
    SourceType: text,
    Action: text,
    Meta: { type: stringMap },
  },
};

/** Throws Failure. */
export function decodeIntention(body: string): Intention {
  try {
    const intention = decodeBody(schema, body, "ignore") as Intention;
    return { ...intention, SourceNS: intention.SourceNS || "default" };
  } catch (failure) {
    throw new Failure(`Error: ${messageOf(failure)}`);
  }
}
