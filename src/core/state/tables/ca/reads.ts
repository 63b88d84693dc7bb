// The reads of `/v1/connect/ca`. None of them looks at private keys.

import { hiddenKey } from "../../../model/ca-configuration.ts";
import { encodeJson, encodeString } from "../../../model/json.ts";
import type { PlainRead } from "../../read.ts";
import { list, withIndexes } from "../../rows.ts";
import type { State } from "../../state.ts";
import { requireRead } from "../../view.ts";
import {
  allRoots,
  caConfigurationIndex,
  caKeyTable,
  caRootsIndex,
  caTopic,
  configurationOf,
  findActiveRoot,
  requireCa,
  rootOf,
} from "./authority.ts";
import type { CaRootRow } from "./authority.ts";

const roots: PlainRead<Record<string, never>> = {
  evaluate: (_args, view) => {
    const { cluster_id: clusterId } = requireCa(view);
    const active = findActiveRoot(view)?.id ?? "";
    const members = [
      `"ActiveRootID":${encodeString(active)}`,
      `"TrustDomain":${encodeString(`${clusterId}.consul`)}`,
      `"Roots":${list(allRoots(view).map(encodeRoot))}`,
    ];
    return answer(view, `{${members.join(",")}}`);
  },
};

/** The key of a configuration that has one is shown as a word that means it. */
const configuration: PlainRead<Record<string, never>> = {
  evaluate: (_args, view) => {
    const row = requireCa(view);
    requireRead(view, "operator", "");
    const { provider, config, force } = configurationOf(row);
    const active = findActiveRoot(view);
    const isGiven = active !== undefined && view.table(caKeyTable).get(active.id)?.given === 1;
    const shown = isGiven ? { ...config, PrivateKey: hiddenKey } : config;
    const members = [
      `"Provider":${encodeString(provider)}`,
      `"Config":${encodeJson(shown)}`,
      '"State":null',
      `"ForceWithoutCrossSigning":${force}`,
    ];
    return answer(view, withIndexes(`{${members.join(",")}}`, row));
  },
};

export const caReads = { "ca.roots": roots, "ca.configuration": configuration };

function encodeRoot(row: CaRootRow): string {
  const root = rootOf(row);
  const certificates = root.IntermediateCerts;
  const members = [
    `"ID":${encodeString(root.ID)}`,
    `"Name":${encodeString(root.Name)}`,
    `"SerialNumber":${root.SerialNumber}`,
    `"SigningKeyID":${encodeString(root.SigningKeyID)}`,
    `"ExternalTrustDomain":${encodeString(root.ExternalTrustDomain)}`,
    `"NotBefore":${encodeString(root.NotBefore)}`,
    `"NotAfter":${encodeString(root.NotAfter)}`,
    `"RootCert":${encodeString(root.RootCert)}`,
    `"IntermediateCerts":${certificates ? list(certificates.map(encodeString)) : "null"}`,
    `"Active":${row.active === 1}`,
    `"PrivateKeyType":${encodeString(root.PrivateKeyType)}`,
    `"PrivateKeyBits":${root.PrivateKeyBits}`,
  ];
  return withIndexes(`{${members.join(",")}}`, row);
}

function answer(state: State, body: string) {
  const index = state.meta.maxIndex(caRootsIndex, caConfigurationIndex);
  return { index, body, topics: [caTopic] };
}
