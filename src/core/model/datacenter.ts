// What datacenters that were joined over the WAN know of each other.

import { limits } from "./limits.ts";
import { integer, type StructType, text } from "./schema.ts";

/** A server as those of other datacenters reach it. */
export interface FarServer {
  id: string;
  /** Node name. */
  name: string;
  /** `ip:port` of its server port. */
  address: string;
}

export interface JoinedDatacenter {
  name: string;
  /** Larger whenever its servers are others: ms since 1970, or one more than before. Its own leader counts. */
  version: number;
  servers: FarServer[];
  /** The datacenter that it copies; its own name when it copies none. */
  primary: string;
}

const farServerSchema = {
  kind: "struct",
  goName: "FarServer",
  fields: { id: text, name: text, address: text },
} as const satisfies StructType;

export const joinedDatacenterSchema = {
  kind: "struct",
  goName: "JoinedDatacenter",
  fields: {
    name: text,
    version: integer,
    servers: { type: { kind: "list", item: farServerSchema } },
    primary: text,
  },
} as const satisfies StructType;

const nameForm = /^[a-z0-9_-]{1,64}$/;
const textLengthMax = 256;
const addressForm = /^(?:[0-9.]{7,15}|\[[0-9a-fA-F:.]{2,45}\]):\d{1,5}$/;

/** What somebody else says of a datacenter. Throws SyntaxError for what cannot be one. */
export function decodeDatacenter(given: unknown): JoinedDatacenter {
  const { name, version, primary, servers } = (given ?? {}) as Record<
    keyof JoinedDatacenter,
    unknown
  >;
  const areNames = isName(name) && isName(primary);
  const isCounted = Number.isSafeInteger(version) && Number(version) > 0;
  if (areNames && isCounted && Array.isArray(servers)) {
    const found = servers.map((server) => decodeServer(server));
    if (found.length > 0 && found.length <= limits.serversPerDatacenterMax) {
      return { name, version: Number(version), primary, servers: found };
    }
  }
  throw new SyntaxError("no description of a datacenter");
}

function decodeServer(given: unknown): FarServer {
  const { id, name, address } = (given ?? {}) as Record<keyof FarServer, unknown>;
  if (isShort(id) && isShort(name) && isShort(address) && addressForm.test(address)) {
    return { id, name, address };
  }
  throw new SyntaxError("no description of a server");
}

function isName(given: unknown): given is string {
  return typeof given === "string" && nameForm.test(given);
}

function isShort(given: unknown): given is string {
  return typeof given === "string" && given !== "" && given.length <= textLengthMax;
}
