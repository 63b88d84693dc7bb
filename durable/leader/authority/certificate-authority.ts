// Connect's certificate authority, as far as the leader alone may act it: it makes keys and has them vouched for, signs
// what agents ask for, and forgets roots whose last certificate has ended. The state (core/state/tables/ca) holds what
// came of it; what signs is read from there each time, after an entry of this leader's own term. Where roots come from
// is another file's business: own-roots.ts in a primary datacenter, primarys-roots.ts in a secondary one.

import {
  type CaConfiguration,
  type CaSettings,
  caSettings,
  consulProvider,
  hiddenKey,
} from "../../../src/core/model/ca-configuration.ts";
import { ServiceError } from "../../../src/core/model/errors.ts";
import {
  agentCommonName,
  serviceCommonName,
  type SpiffeId,
} from "../../../src/core/model/spiffe.ts";
import type { HostNames, IdentityRequest } from "../../../src/connect/certificates.ts";
import type { Command } from "../../../src/core/state/commands.ts";
import type { Applied } from "../../../src/core/state/machine.ts";
import {
  findSigner,
  oldestRotationMs,
  requireCa,
  requireSigner,
} from "../../../src/core/state/tables/ca/authority.ts";
import { primaryRoots } from "../../../src/core/state/tables/ca/following.ts";
import type { IssuedCertificate } from "../../../src/ports/cluster.ts";
import { type RequestRate, RequestRates } from "../request-rates.ts";
import { OwnRoots } from "./own-roots.ts";
import {
  type AuthorityParts,
  Issuers,
  kept,
  keptForMs,
  making,
  type RootSource,
  settingsOf,
  tokenOf,
} from "./parts.ts";
import { PrimarysRoots } from "./primarys-roots.ts";
import type { ActiveRoot, AuthorityQuestion, SignedIntermediate } from "./questions.ts";

export type { AuthorityParts } from "./parts.ts";

const owner = "ca";
/** Roots that were replaced at about the same time go together. */
const pruneSlackMs = 60_000;

/** A request for a certificate, or a new configuration, on somebody's behalf. */
export interface Asked<Body> {
  body: Body;
  token?: string;
}

export class CertificateAuthority {
  readonly #parts: AuthorityParts;
  readonly #rates: RequestRates;
  readonly #issuers = new Issuers();
  readonly #roots: RootSource;
  /** Null where roots are made. */
  readonly #followed: PrimarysRoots | null;

  constructor(parts: AuthorityParts) {
    this.#parts = parts;
    this.#rates = new RequestRates(parts);
    this.#followed = parts.primary && new PrimarysRoots(parts, parts.primary);
    this.#roots = this.#followed ?? new OwnRoots(parts, this.#issuers);
    parts.clock.handle(owner, () => this.#prune());
  }

  /** Connect is enabled, and there is something to begin with. */
  get isMissing(): boolean {
    return this.#roots.isMissing;
  }

  /** A leader's duty: begins the authority where it is missing. */
  async initialize(): Promise<void> {
    await this.#roots.initialize();
  }

  /** To be called when the primary has news, and when this server begins to lead. Never rejects. */
  async follow(): Promise<void> {
    await this.#followed?.follow();
  }

  /** To be called when this server begins to lead, or wakes as leader. */
  arm(): void {
    const { machine, clock } = this.#parts;
    this.#roots.arm();
    const oldestMs = machine.ask(oldestRotationMs);
    const signer = machine.ask(findSigner);
    if (oldestMs === null || !signer) return;
    clock.set(owner, oldestMs + keptForMs(settingsOf(signer)), pruneSlackMs);
  }

  applied(entries: readonly Applied[]): void {
    if (!this.#parts.leads()) return;
    const types = ["ca.configure", "ca.follow"];
    if (entries.some(({ command }) => command && types.includes(command.type))) this.arm();
  }

  /** Signs a request (PEM). Rejects with ServiceError, or with NotLeader when it must be tried again. */
  async sign({ body: csr, token }: Asked<string>): Promise<IssuedCertificate> {
    const { machine, requests, nowMs, settled } = this.#parts;
    await settled();
    machine.ask(requireCa);
    const { issue, readIdentityRequest } = await making();
    const request = await readIdentityRequest(csr);
    const { clusterId, ...known } = machine.ask(requireSigner);
    const trustDomain = `${clusterId}.consul`;
    const { write, ...subject } = this.#subjectOf(request, trustDomain);
    machine.admit(write, tokenOf(token));
    return await this.#rates.within(rateOf(settingsOf({ clusterId, ...known })), async () => {
      const issued = await requests.writeHere({ id: 0, write, ...tokenOf(token) });
      const { serial, index } = issued as { serial: number; index: number };
      // Another root may have taken over meanwhile.
      const signer = machine.ask(requireSigner);
      const certificates = signer.root.IntermediateCerts ?? [];
      return await issue(
        await this.#issuers.of(signer),
        { ...request, ...subject },
        {
          serial,
          index,
          nowMs: nowMs(),
          ttlMs: settingsOf(signer).leafTtlMs,
          // The one that signed ends the list of what a root has, and begins a chain.
          intermediates: signer.intermediate ? certificates.toReversed() : certificates,
        },
      );
    });
  }

  /** Takes over a configuration, with another root where it says so. Rejects as {@link sign}. */
  async configure({ body, token }: Asked<CaConfiguration>): Promise<true> {
    const { machine, settled } = this.#parts;
    await settled();
    machine.ask(requireCa);
    const configuration = kept({ ...body, force: body.ForceWithoutCrossSigning });
    const write = { type: "ca.configure" as const, expected: "", configuration, next: [] };
    machine.admit(write, tokenOf(token));
    if (body.Provider !== consulProvider) {
      const name = JSON.stringify(body.Provider);
      throw new ServiceError(
        "invalid",
        `could not initialize provider: unknown CA provider ${name}`,
      );
    }
    const wanted = caSettings(body.Config);
    if (wanted.privateKey === hiddenKey) {
      const signer = machine.ask(findSigner);
      wanted.privateKey = signer?.given ? signer.privateKey : "";
    }
    await this.#roots.configure({ configuration, wanted, token });
    return true;
  }

  /** Answers a secondary datacenter. Rejects as {@link sign}. */
  async answer(question: AuthorityQuestion): Promise<ActiveRoot | SignedIntermediate> {
    const { machine, primary, datacenter, settled } = this.#parts;
    await settled();
    if (primary) {
      const reason = `datacenter ${datacenter} has the roots of ${primary.name}`;
      throw new ServiceError("invalid", `${reason}: ask there`);
    }
    const { clusterId, root } = machine.ask(requireSigner);
    if (question.ask === "root") return { clusterId, activeId: root.ID };
    return await this.#signIntermediate(question);
  }

  async #signIntermediate({
    from,
    csr,
  }: Extract<AuthorityQuestion, { ask: "sign" }>): Promise<SignedIntermediate> {
    const { machine, requests, nowMs, secondaries } = this.#parts;
    if (!secondaries().includes(from)) {
      const reason = `${JSON.stringify(from)} is no datacenter that copies this one`;
      throw new ServiceError("permission-denied", reason);
    }
    const { issueIntermediate, readIdentityRequest } = await making();
    const request = await readIdentityRequest(csr);
    requireSigningId(request.id, `${machine.ask(requireSigner).clusterId}.consul`);
    const write = { type: "ca.serial", count: 1 } as const;
    return await this.#rates.within(rateOf(settingsOf(machine.ask(requireSigner))), async () => {
      const serial = (await requests.writeHere({ id: 0, write })) as number;
      // Key and roots are of one moment, whatever else takes over.
      const signer = machine.ask(requireSigner);
      const roots = machine.ask(primaryRoots);
      if (!roots || signer.intermediate) {
        throw new ServiceError("invalid", "there is no root here that could vouch for another");
      }
      const { clusterId } = signer;
      const parts = {
        clusterId,
        serial,
        nowMs: nowMs(),
        ttlMs: settingsOf(signer).intermediateTtlMs,
      };
      const issuer = await this.#issuers.of(signer);
      return { certificate: await issueIntermediate(issuer, request, parts), roots };
    });
  }

  async #prune(): Promise<void> {
    const { machine, requests, nowMs, leads } = this.#parts;
    const signer = machine.ask(findSigner);
    if (!leads() || !signer) return;
    const untilMs = nowMs() - keptForMs(settingsOf(signer));
    await requests.writeHere({ id: 0, write: { type: "ca.prune", untilMs } });
    this.arm();
  }

  /** What a request is about. Throws ServiceError unless its id is one of this datacenter. */
  #subjectOf({ id, names }: Pick<IdentityRequest, "id" | "names">, trustDomain: string): Subject {
    if (id.kind === "signing") {
      throw new ServiceError("invalid", "SPIFFE ID in CSR must be a service or agent ID");
    }
    requireTrustDomain(id, trustDomain);
    if (id.datacenter !== this.#parts.datacenter) {
      const text = `from a different datacenter: ${id.datacenter}, we are ${this.#parts.datacenter}`;
      throw new ServiceError("invalid", `SPIFFE ID in CSR ${text}`);
    }
    if (id.kind === "service") {
      const { service } = id;
      const write = { type: "ca.issue", service } as const;
      return { write, service, commonName: serviceCommonName(trustDomain, service), names: none };
    }
    const { agent: node } = id;
    const server = names.dns.find((name) => /^server\./i.test(name));
    if (server !== undefined) {
      throw new ServiceError("invalid", `an agent cannot be called ${server}, as servers are`);
    }
    const write = { type: "ca.issue-agent", node } as const;
    return { write, service: "", commonName: agentCommonName(trustDomain, node), names };
  }
}

interface Subject {
  write: Extract<Command, { type: "ca.issue" | "ca.issue-agent" }>;
  /** "" for an agent. */
  service: string;
  commonName: string;
  /** Services have none. */
  names: HostNames;
}

const none: HostNames = { dns: [], ip: [] };

function requireTrustDomain({ host }: SpiffeId, trustDomain: string): void {
  if (host.toLowerCase() === trustDomain) return;
  const text = `from a different trust domain: ${host}, we are ${trustDomain}`;
  throw new ServiceError("invalid", `SPIFFE ID in CSR ${text}`);
}

function requireSigningId(id: SpiffeId, trustDomain: string): void {
  if (id.kind !== "signing") {
    throw new ServiceError("invalid", "SPIFFE ID in CSR must be that of a trust domain");
  }
  requireTrustDomain(id, trustDomain);
}

function rateOf({ requestsPerSecondMax, requestsAtOnceMax }: CaSettings): RequestRate {
  return { perSecondMax: requestsPerSecondMax, atOnceMax: requestsAtOnceMax };
}
