// Shapes that commands which write a key have in common.

import { ServiceError } from "../../../model/errors.ts";
import { text } from "../../../model/schema.ts";
import type { Field } from "../../../model/schema.ts";
import type { Admission } from "../../area.ts";

export const uint64: Field = { type: { kind: "uint64" } };
export const keyWrite = { key: text, value: { type: { kind: "bytes" } }, flags: uint64 } as const;

/** Admits a command about one key. */
export function admitKey<Fields extends { key: string }>(
  given: Fields,
  { permit }: Admission,
): Fields {
  if (given.key === "") throw new ServiceError("invalid", "Must provide key");
  permit("key", given.key, "write");
  return given;
}
