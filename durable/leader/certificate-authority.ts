// Connect's certificate authority, as far as the leader alone may act it: it makes keys and roots and proposes them,
// signs what agents ask for, and forgets roots whose last certificate has ended. The state (core/state/tables/ca)
// holds what came of it; what signs is read from there each time, after an entry of this leader's own term.

import { ServiceError } from "../../src/core/model/errors.ts";
import {
  type CaConfiguration,
  type CaSettings,
  caSettings,
  consulProvider,
  hiddenKey,
  initialCaConfig,
} from "../../src/core/model/ca-configuration.ts";
import { parseSpiffeId } from "../../src/core/model/spiffe.ts";
import type { Applied, StateMachine } from "../../src/core/state/machine.ts";
import { clusterId as identity } from "../../src/core/state/tables/cluster/identity.ts";
import {
  type CaSigner,
  findCaConfiguration,
  findSigner,
  firstSerial,
  type KeptConfiguration,
  type NewRoot,
  oldestRotationMs,
  requireCa,
} from "../../src/core/state/tables/ca/authority.ts";
import { type RequestRate, RequestRates } from "./request-rates.ts";
import type * as Making from "../../src/connect/issuing.ts";
import type { IssuedCertificate } from "../../src/ports/cluster.ts";
import type { Timers } from "../../src/ports/timers.ts";
import type { AlarmClock } from "../platform/alarm-clock.ts";
import type { ConnectSettings } from "../platform/settings.ts";
import type { ServerRequests } from "../server/requests.ts";

const owner = "ca";
/** Roots that were replaced at about the same time go together. */
const pruneSlackMs = 60_000;
const crossSigningText =
  "The current CA Provider does not support cross-signing. You can try again with ForceWithoutCrossSigningSet " +
  "but this may cause disruption - see documentation for more.";

export interface AuthorityParts {
  machine: StateMachine;
  clock: Pick<AlarmClock, "handle" | "set" | "deadline">;
  /** Writes what only the leader of this term may. */
  requests: Pick<ServerRequests, "writeHere">;
  timers: Timers;
  datacenter: string;
  /** Null: Connect is not enabled here. */
  connect: ConnectSettings | null;
  /** Resolves when the state here is that of a leader of now; rejects with NotLeader. */
  settled(): Promise<void>;
  nowMs(): number;
  leads(): boolean;
}

/** A request for a certificate, or a new configuration, on somebody's behalf. */
export interface Asked<Body> {
  body: Body;
  token?: string;
}

export class CertificateAuthority {
  readonly #parts: AuthorityParts;
  readonly #rates: RequestRates;
  /** Key and certificate that sign, by the root's id. */
  #issuer: { id: string; issuer: Making.Issuer } | null = null;

  constructor(parts: AuthorityParts) {
    this.#parts = parts;
    this.#rates = new RequestRates(parts);
    parts.clock.handle(owner, () => this.#prune());
  }

  /** Connect is enabled, and there is no authority yet. */
  get isMissing(): boolean {
    const { machine, connect } = this.#parts;
    return connect !== null && machine.ask(findCaConfiguration) === undefined;
  }

  /** A leader's duty: begins the authority where it is missing. */
  async initialize(): Promise<void> {
    const { machine, connect, requests, nowMs } = this.#parts;
    if (!connect || !this.isMissing) return;
    const config = { ...initialCaConfig, ...connect.config };
    const clusterId = machine.ask(identity) ?? connect.clusterId ?? crypto.randomUUID();
    const settings = caSettings(config);
    const { makeRoot } = await making();
    const first = await makeRoot(settings, { clusterId, serial: firstSerial, nowMs: nowMs() });
    const configuration = kept({ Provider: consulProvider, Config: config, force: false });
    const write = { type: "ca.initialize", clusterId, configuration, first } as const;
    await requests.writeHere({ id: 0, write });
  }

  /** To be called when this server begins to lead, or wakes as leader. */
  arm(): void {
    const { machine, clock } = this.#parts;
    const oldestMs = machine.ask(oldestRotationMs);
    const signer = machine.ask(findSigner);
    if (oldestMs === null || !signer) return;
    clock.set(owner, oldestMs + keptForMs(settingsOf(signer)), pruneSlackMs);
  }

  applied(entries: readonly Applied[]): void {
    if (!this.#parts.leads()) return;
    if (entries.some(({ command }) => command?.type === "ca.configure")) this.arm();
  }

  /** Signs a request (PEM). Rejects with ServiceError, or with NotLeader when it must be tried again. */
  async sign({ body: csr, token }: Asked<string>): Promise<IssuedCertificate> {
    const { machine, requests, nowMs, settled } = this.#parts;
    await settled();
    machine.ask(requireCa);
    const { issue, readServiceRequest } = await making();
    const request = await readServiceRequest(csr);
    const { trustDomain, settings } = this.#signer();
    const service = this.#serviceOf(request.uri, trustDomain);
    const write = { type: "ca.issue", service } as const;
    machine.admit(write, tokenOf(token));
    return await this.#rates.within(rateOf(settings), async () => {
      const issued = await requests.writeHere({ id: 0, write, ...tokenOf(token) });
      const { serial, index } = issued as { serial: number; index: number };
      // Another root may have taken over meanwhile.
      const { signer, settings: now } = this.#signer();
      const issuer = await this.#issuerOf(signer);
      return await issue(
        issuer,
        { ...request, service, trustDomain },
        {
          serial,
          index,
          nowMs: nowMs(),
          ttlMs: now.leafTtlMs,
          intermediates: signer.root.IntermediateCerts ?? [],
        },
      );
    });
  }

  /** Takes over a configuration, with another root where it says so. Rejects as {@link sign}. */
  async configure({ body, token }: Asked<CaConfiguration>): Promise<true> {
    const { machine, requests, settled } = this.#parts;
    await settled();
    machine.ask(requireCa);
    const configuration = kept({ ...body, force: body.ForceWithoutCrossSigning });
    const expected = this.#signer().signer.root.ID;
    const write = { type: "ca.configure", expected, configuration, next: [] } as const;
    machine.admit({ ...write, next: [] }, tokenOf(token));
    if (body.Provider !== consulProvider) {
      const name = JSON.stringify(body.Provider);
      throw new ServiceError(
        "invalid",
        `could not initialize provider: unknown CA provider ${name}`,
      );
    }
    const next = await this.#successor(body, token);
    await requests.writeHere({
      id: 0,
      write: { ...write, next: next ? [next] : [] },
      ...tokenOf(token),
    });
    return true;
  }

  /** The root that a configuration asks for; null when that is the one that there is. */
  async #successor(body: CaConfiguration, token: string | undefined): Promise<NewRoot | null> {
    const { requests, nowMs } = this.#parts;
    const { signer, settings: old, clusterId } = this.#signer();
    const wanted = caSettings(body.Config);
    if (wanted.privateKey === hiddenKey) wanted.privateKey = signer.given ? signer.privateKey : "";
    if (wanted.privateKey === old.privateKey && wanted.rootCert === old.rootCert) return null;
    const { bridge, makeRoot } = await making();
    if (!old.crossSigns && !body.ForceWithoutCrossSigning) {
      throw new ServiceError("invalid", crossSigningText);
    }
    const write = { type: "ca.serial", count: 2 } as const;
    const serial = (await requests.writeHere({ id: 0, write, ...tokenOf(token) })) as number;
    const next = await makeRoot(wanted, { clusterId, serial, nowMs: nowMs() });
    if (next.root.ID === signer.root.ID) return null;
    if (!old.crossSigns) return next;
    const issuer = await this.#issuerOf(signer);
    const bridged = await bridge(issuer, next.root.RootCert, {
      serial: serial + 1,
      nowMs: nowMs(),
    });
    return { ...next, root: { ...next.root, IntermediateCerts: [bridged] } };
  }

  async #prune(): Promise<void> {
    const { machine, requests, nowMs, leads } = this.#parts;
    const signer = machine.ask(findSigner);
    if (!leads() || !signer) return;
    const untilMs = nowMs() - keptForMs(settingsOf(signer));
    await requests.writeHere({ id: 0, write: { type: "ca.prune", untilMs } });
    this.arm();
  }

  #signer(): { signer: CaSigner; settings: CaSettings; clusterId: string; trustDomain: string } {
    const signer = this.#parts.machine.ask(findSigner);
    if (!signer) throw new ServiceError("invalid", "the CA has no key that signs");
    const { clusterId } = signer;
    return { signer, settings: settingsOf(signer), clusterId, trustDomain: `${clusterId}.consul` };
  }

  async #issuerOf({ root, privateKey }: CaSigner): Promise<Making.Issuer> {
    if (this.#issuer?.id !== root.ID) {
      const { openIssuer } = await making();
      this.#issuer = { id: root.ID, issuer: await openIssuer(privateKey, root.RootCert) };
    }
    return this.#issuer.issuer;
  }

  /** The service that a request is about. Throws ServiceError unless its id is one of this datacenter. */
  #serviceOf(uri: string, trustDomain: string): string {
    const id = parseSpiffeId(uri);
    if (id?.kind !== "service") {
      throw new ServiceError("invalid", "SPIFFE ID in CSR must be a service ID");
    }
    if (id.host.toLowerCase() !== trustDomain) {
      const text = `from a different trust domain: ${id.host}, we are ${trustDomain}`;
      throw new ServiceError("invalid", `SPIFFE ID in CSR ${text}`);
    }
    if (id.datacenter !== this.#parts.datacenter) {
      const text = `from a different datacenter: ${id.datacenter}, we are ${this.#parts.datacenter}`;
      throw new ServiceError("invalid", `SPIFFE ID in CSR ${text}`);
    }
    return id.service;
  }
}

/** What makes certificates is large, and loaded where the first one is made. */
async function making(): Promise<typeof Making> {
  return await import("../../src/connect/issuing.ts");
}

/** A configuration without its private key, which is kept elsewhere. */
function kept(given: Pick<CaConfiguration, "Provider" | "Config"> & { force: boolean }) {
  const entries = Object.entries(given.Config ?? {});
  const config = Object.fromEntries(
    entries.filter(([name]) => name.toLowerCase() !== "privatekey"),
  );
  return { provider: given.Provider, config, force: given.force } satisfies KeptConfiguration;
}

function settingsOf({ configuration, privateKey, given }: CaSigner): CaSettings {
  return caSettings({ ...configuration.config, PrivateKey: given ? privateKey : "" });
}

/** Twice as long as a certificate that a replaced root signed may live. */
function keptForMs({ leafTtlMs }: CaSettings): number {
  return 2 * leafTtlMs;
}

function rateOf({ requestsPerSecondMax, requestsAtOnceMax }: CaSettings): RequestRate {
  return { perSecondMax: requestsPerSecondMax, atOnceMax: requestsAtOnceMax };
}

function tokenOf(token: string | undefined): { token?: string } {
  return token === undefined ? {} : { token };
}
