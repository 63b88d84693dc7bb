// What the parts of the certificate authority share: what they are given, what a configuration means, and the key that
// signs, which is read from the state each time.

import {
  type CaConfiguration,
  type CaSettings,
  caSettings,
  withoutRoot,
} from "../../../src/core/model/ca-configuration.ts";
import type { StateMachine } from "../../../src/core/state/machine.ts";
import type { CaSigner, KeptConfiguration } from "../../../src/core/state/tables/ca/authority.ts";
import type * as Making from "../../../src/connect/issuing.ts";
import type { Timers } from "../../../src/ports/timers.ts";
import type { AlarmClock } from "../../platform/alarm-clock.ts";
import type { ConnectSettings } from "../../platform/settings.ts";
import type { ServerRequests } from "../../server/requests.ts";
import type { PrimaryAuthority } from "./questions.ts";

export interface AuthorityParts {
  machine: StateMachine;
  clock: Pick<AlarmClock, "handle" | "set" | "deadline">;
  /** Writes what only the leader of this term may. */
  requests: Pick<ServerRequests, "writeHere">;
  timers: Timers;
  datacenter: string;
  /** Null: Connect is not enabled here. */
  connect: ConnectSettings | null;
  /** The datacenter whose roots these are; null: they are made here. */
  primary: PrimaryAuthority | null;
  /** Datacenters that may have intermediate certificates of this one. */
  secondaries(): readonly string[];
  /** Resolves when the state here is that of a leader of now; rejects with NotLeader. */
  settled(): Promise<void>;
  nowMs(): number;
  leads(): boolean;
  log(level: "info" | "warn", line: string): void;
}

/** A configuration that may be taken over. */
export interface Configuring {
  configuration: KeptConfiguration;
  /** What it means, with the key that it stands for. */
  wanted: CaSettings;
  token: string | undefined;
}

/** Where roots come from: they are made here, or in the primary datacenter. */
export interface RootSource {
  /** There is nothing here to sign with, and this server could begin with something. */
  readonly isMissing: boolean;
  /** Begins where something is missing. Rejects with ServiceError or NotLeader. */
  initialize(): Promise<void>;
  /** When this server begins to lead, or wakes as leader. */
  arm(): void;
  /** Rejects with ServiceError, or with NotLeader when it must be tried again. */
  configure(configuring: Configuring): Promise<void>;
}

/** What makes certificates is large, and loaded where the first one is made. */
export async function making(): Promise<typeof Making> {
  return await import("../../../src/connect/issuing.ts");
}

/** Key and certificate that sign, opened once. */
export class Issuers {
  #open: { certificate: string; issuer: Making.Issuer } | null = null;

  async of({ root, intermediate, privateKey }: CaSigner): Promise<Making.Issuer> {
    const certificate = intermediate?.certificate ?? root.RootCert;
    if (this.#open?.certificate !== certificate) {
      const { openIssuer } = await making();
      this.#open = { certificate, issuer: await openIssuer(privateKey, certificate) };
    }
    return this.#open.issuer;
  }
}

/** A configuration without its private key, which is kept elsewhere. */
export function kept(
  given: Pick<CaConfiguration, "Provider" | "Config"> & { force: boolean },
): KeptConfiguration {
  const entries = Object.entries(given.Config ?? {});
  const config = Object.fromEntries(
    entries.filter(([name]) => name.toLowerCase() !== "privatekey"),
  );
  return { provider: given.Provider, config, force: given.force };
}

/** A root that is configured where another one's intermediate certificate signs is one of the past. */
export function settingsOf(signer: CaSigner): CaSettings {
  const { configuration, intermediate, privateKey, given } = signer;
  const config = intermediate ? withoutRoot(configuration.config) : configuration.config;
  return caSettings({ ...config, PrivateKey: given ? privateKey : "" });
}

export function tokenOf(token: string | undefined): { token?: string } {
  return token === undefined ? {} : { token };
}

/** Twice as long as a certificate that a replaced root signed may live. */
export function keptForMs({ leafTtlMs }: CaSettings): number {
  return 2 * leafTtlMs;
}
