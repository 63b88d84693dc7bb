// Who logs in, as an auth method knows it: what selectors may ask, and what names may be made of.

import type { StructType } from "../schema.ts";
import { stringList, text } from "../schema.ts";
import type { AuthMethod } from "./types.ts";
import { type AuthMethodType, readJwtConfig } from "./config.ts";

export interface Identity {
  /** Of the shape that {@link selectable} gives. */
  fields: Record<string, unknown>;
  /** `value.name` → its text. */
  variables: ReadonlyMap<string, string>;
}

const selectors: Record<AuthMethodType, StructType> = {
  jwt: {
    kind: "struct",
    goName: "jwtauth.Fields",
    fields: {
      value: { type: { kind: "map", value: { kind: "string" } } },
      list: { type: { kind: "map", value: stringList } },
    },
  },
  kubernetes: {
    kind: "struct",
    goName: "kubeauth.k8sFieldDetails",
    fields: {
      serviceaccount: {
        type: {
          kind: "struct",
          goName: "kubeauth.k8sFieldDetailsServiceAccount",
          fields: { namespace: text, name: text, uid: text },
        },
      },
    },
  },
};

/** What selectors of a method's rules may ask. */
export function selectable({ Type }: Pick<AuthMethod, "Type">): StructType {
  return selectors[Type as AuthMethodType];
}

/** What names of its rules may be made of. Throws ServiceError for a configuration that is none. */
export function variableNames({ Type, Config }: Pick<AuthMethod, "Type" | "Config">): string[] {
  if (Type === "kubernetes") {
    return ["namespace", "name", "uid"].map((name) => `serviceaccount.${name}`);
  }
  return Object.values(readJwtConfig(Config).ClaimMappings ?? {}).map((name) => `value.${name}`);
}

/** Of a service account of Kubernetes. */
export function accountIdentity(account: {
  namespace: string;
  name: string;
  uid: string;
}): Identity {
  return {
    fields: { serviceaccount: account },
    variables: new Map(
      Object.entries(account).map(([name, value]) => [`serviceaccount.${name}`, value]),
    ),
  };
}
