// What TLS is made of here: the agent's own certificate, and whom it trusts. Read again when the agent is told to;
// whoever serves TLS takes what is current and is told when there is something else.

import type { TlsConfig } from "../config/tls.ts";
import { type AuthorityFiles, readAuthorities } from "./authorities.ts";
import { type KeyPair, readKeyPair } from "./certificate.ts";

export type TlsFiles = AuthorityFiles & { readonly tls: TlsConfig };

export interface TlsState {
  readonly config: TlsConfig;
  /** Null when none is configured. */
  readonly pair: KeyPair | null;
  /** Certificates in PEM, one each. */
  readonly authorities: readonly string[];
  /** Roots of Connect, under which agents have certificates: they come in, and are never servers. */
  readonly vouched: readonly string[];
}

/** What is not in files, but comes from servers (`auto_encrypt`). */
export interface GivenTls {
  /** Used where files have none. */
  readonly pair: KeyPair | null;
  readonly vouched: readonly string[];
  readonly verifyServerHostname: boolean;
}

const nothing: GivenTls = { pair: null, vouched: [], verifyServerHostname: false };

export class TlsMaterial {
  readonly #listeners: ((state: TlsState) => void)[] = [];
  #read: TlsState;
  #given = nothing;
  #current: TlsState;

  /** Throws an Error with Consul's text when a file cannot be used, or one is missing. */
  constructor(files: TlsFiles) {
    this.#read = readTls(files);
    this.#current = this.#read;
  }

  get given(): GivenTls {
    return this.#given;
  }

  get current(): TlsState {
    return this.#current;
  }

  /** Connections that are open keep what they began with. Throws as the constructor does, and changes nothing then. */
  reload(files: TlsFiles): void {
    this.#read = readTls(files);
    this.#publish();
  }

  give(given: GivenTls): void {
    if (JSON.stringify(given) === JSON.stringify(this.#given)) return;
    this.#given = given;
    this.#publish();
  }

  #publish(): void {
    const { config, pair, ...read } = this.#read;
    const { pair: givenPair, vouched, verifyServerHostname } = this.#given;
    this.#current = {
      ...read,
      config: {
        ...config,
        verifyServerHostname: config.verifyServerHostname || verifyServerHostname,
      },
      pair: pair ?? givenPair,
      vouched,
    };
    for (const listener of this.#listeners) listener(this.#current);
  }

  listen(listener: (state: TlsState) => void): void {
    this.#listeners.push(listener);
  }
}

/** Throws an Error with Consul's text when a file cannot be used, or one is missing. */
export function readTls(files: TlsFiles): TlsState {
  const { tls } = files;
  const pair = tls.certFile !== "" && tls.keyFile !== "" ? readKeyPair(tls) : null;
  const authorities = readAuthorities(files);
  const trustsNobody = authorities.length === 0;
  if (tls.verifyOutgoing && trustsNobody) {
    throw new Error("VerifyOutgoing set, and no CA certificate provided!");
  }
  const state = { config: tls, pair, authorities, vouched: [] };
  if (!tls.verifyIncomingHttps && !tls.verifyIncomingRpc) return state;
  if (trustsNobody) throw new Error("VerifyIncoming set but no CA certificates were provided");
  if (pair || tls.autoEncrypt.tls) return state;
  throw new Error(
    "VerifyIncoming requires either a Cert and Key pair in the configuration file, " +
      "or auto_encrypt/auto_config be enabled",
  );
}
