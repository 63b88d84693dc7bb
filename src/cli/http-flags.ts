// The flags that every command which talks to an agent shares, with the environment variables behind them.

import { readFileSync } from "node:fs";

import { openError } from "../agent/go-reasons.ts";
import {
  type FlagTable,
  type FlagValues,
  optionalText,
  parseBoolean,
  switchFlag,
} from "./flags.ts";

function also(variable: string): string {
  return `The environment variable ${variable} says the same.`;
}

/** How the agent is reached, and as whom. */
export const agentFlags = {
  "http-addr": optionalText(
    "Where the agent's HTTP API is: host:port, or a URL of the schemes http, https or unix. " +
      `The default is http://127.0.0.1:8500. ${also("CONSUL_HTTP_ADDR")} ` +
      "CONSUL_HTTP_SSL=true makes it HTTPS.",
    "address",
  ),
  token: optionalText(`Secret ID of the token to show. ${also("CONSUL_HTTP_TOKEN")}`),
  "token-file": optionalText(
    `File that holds the token; it counts before -token. ${also("CONSUL_HTTP_TOKEN_FILE")}`,
  ),
  "ca-file": optionalText(`File of certificates to trust with HTTPS. ${also("CONSUL_CACERT")}`),
  "ca-path": optionalText(
    `Directory of files with certificates to trust with HTTPS. ${also("CONSUL_CAPATH")}`,
  ),
  "client-cert": optionalText(
    `File of the certificate to show with HTTPS. ${also("CONSUL_CLIENT_CERT")}`,
  ),
  "client-key": optionalText(`File of the key of that certificate. ${also("CONSUL_CLIENT_KEY")}`),
  "tls-server-name": optionalText(
    `Name that the agent's certificate must have. ${also("CONSUL_TLS_SERVER_NAME")}`,
  ),
} satisfies FlagTable;

/** Of commands whose answer comes from servers. */
export const serverFlags = {
  datacenter: optionalText("Datacenter to ask; by default the agent's own."),
  stale: switchFlag("Let any server answer a read, not only the leader."),
} satisfies FlagTable;

/** Of commands about things that have a namespace in Consul Enterprise. */
export const namespaceFlag = {
  namespace: optionalText(
    "Namespace to ask about, a feature of Consul Enterprise. CONSUL_NAMESPACE says the same.",
    "default",
  ),
} satisfies FlagTable;

export type ConnectionFlags = Partial<
  FlagValues<typeof agentFlags & typeof serverFlags & typeof namespaceFlag>
>;
export type Environment = Readonly<Record<string, string | undefined>>;

/** How to talk to an agent, made of flags and environment. */
export interface Connection {
  /** `http://host:port` or `https://…`; of a socket, what stands for its path in a URL. */
  origin: string;
  /** Where the socket is when it is none of TCP. */
  socketPath: string | undefined;
  token: string;
  /** `user:password`; "" for none. */
  credentials: string;
  tls: TlsFiles;
  /** Added to the query of every request. */
  query: Readonly<Record<string, string>>;
}

export interface TlsFiles {
  caFile: string;
  caPath: string;
  certificate: string;
  key: string;
  serverName: string;
  verify: boolean;
}

/** Throws with the words of Consul's client. */
export function connectionFrom(flags: ConnectionFlags, environment: Environment): Connection {
  const given = flags["http-addr"] ?? (environment.CONSUL_HTTP_ADDR || "127.0.0.1:8500");
  const [, scheme = "", rest = given] = /^(.*?):\/\/(.*)$/s.exec(given) ?? [];
  if (!["", "http", "https", "unix"].includes(scheme)) {
    throw new Error(`Unknown protocol scheme: ${scheme}`);
  }
  const secure = scheme === "https" || parseBoolean(environment.CONSUL_HTTP_SSL ?? "") === true;
  const isSocket = scheme === "unix";
  const host = rest.replace(/\/+$/, "");
  return {
    origin: `${secure ? "https" : "http"}://${isSocket ? encodeURIComponent(rest) : host}`,
    socketPath: isSocket ? rest : undefined,
    token: tokenFrom(flags, environment),
    credentials: environment.CONSUL_HTTP_AUTH ?? "",
    tls: tlsFrom(flags, environment),
    query: queryFrom(flags, environment),
  };
}

function tokenFrom(flags: ConnectionFlags, environment: Environment): string {
  const file = flags["token-file"] ?? (environment.CONSUL_HTTP_TOKEN_FILE || undefined);
  const fromFile = file === undefined ? "" : readToken(file);
  return fromFile || (flags.token ?? environment.CONSUL_HTTP_TOKEN ?? "");
}

function readToken(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (failure) {
    throw new Error(`Error loading token file: ${openError(file, failure)}`, { cause: failure });
  }
}

function tlsFrom(flags: ConnectionFlags, environment: Environment): TlsFiles {
  return {
    caFile: flags["ca-file"] ?? environment.CONSUL_CACERT ?? "",
    caPath: flags["ca-path"] ?? environment.CONSUL_CAPATH ?? "",
    certificate: flags["client-cert"] ?? environment.CONSUL_CLIENT_CERT ?? "",
    key: flags["client-key"] ?? environment.CONSUL_CLIENT_KEY ?? "",
    serverName: flags["tls-server-name"] ?? environment.CONSUL_TLS_SERVER_NAME ?? "",
    verify: parseBoolean(environment.CONSUL_HTTP_SSL_VERIFY ?? "") !== false,
  };
}

function queryFrom(flags: ConnectionFlags, environment: Environment): Record<string, string> {
  const namespace = flags.namespace ?? environment.CONSUL_NAMESPACE ?? "";
  return {
    ...(flags.datacenter && { dc: flags.datacenter }),
    ...(namespace !== "" && { ns: namespace }),
    ...(flags.stale === true && { stale: "" }),
  };
}
