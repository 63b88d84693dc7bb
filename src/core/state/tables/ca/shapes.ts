// What a root looks like.

import { integer, stringList, text } from "../../../model/schema.ts";
import type { Field, StructType } from "../../../model/schema.ts";
import type { CaRoot } from "./authority.ts";

export const rootSchema = {
  kind: "struct",
  goName: "CaRoot",
  fields: {
    ID: text,
    Name: text,
    SerialNumber: { type: { kind: "uint64" } },
    SigningKeyID: text,
    ExternalTrustDomain: text,
    NotBefore: text,
    NotAfter: text,
    RootCert: text,
    IntermediateCerts: { type: stringList },
    PrivateKeyType: text,
    PrivateKeyBits: integer,
  } satisfies Record<keyof CaRoot, Field>,
} as const satisfies StructType;
