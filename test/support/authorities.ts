// Certificate authorities of two datacenters, with all of the product between them but the network, and time that
// passes when a test says so.

import { X509Certificate } from "node:crypto";

import { CertificateAuthority } from "../../durable/leader/authority/certificate-authority.ts";
import type { PrimaryAuthority } from "../../durable/leader/authority/questions.ts";
import type { ConnectSettings } from "../../durable/platform/settings.ts";
import { nodeTimers } from "../../src/agent/timers.ts";
import { createRequest } from "../../src/connect/certificates.ts";
import { generateKey } from "../../src/connect/keys.ts";
import { ServiceError } from "../../src/core/model/errors.ts";
import type { JsonValue } from "../../src/core/model/json.ts";
import { serviceUri } from "../../src/core/model/spiffe.ts";
import type { Command } from "../../src/core/state/commands.ts";
import type { IssuedCertificate } from "../../src/ports/cluster.ts";
import { StateHarness } from "./state-harness.ts";

export interface Root {
  ID: string;
  SigningKeyID: string;
  RootCert: string;
  IntermediateCerts: string[] | null;
  Active: boolean;
}

export interface Roots {
  ActiveRootID: string;
  TrustDomain: string;
  Roots: Root[];
}

/** The leader of a datacenter, as far as it is an authority. */
export class AuthorityHarness {
  readonly state = new StateHarness();
  readonly written: Command["type"][] = [];
  readonly logged: string[] = [];
  readonly alarms = new Map<string, { atMs?: number; handler(): unknown }>();
  readonly datacenter: string;
  authority: CertificateAuthority;
  secondaries: string[] = [];
  leads = true;

  constructor(datacenter: string, connect: ConnectSettings | null, primary?: PrimaryAuthority) {
    this.datacenter = datacenter;
    this.authority = this.restarted(connect, primary);
  }

  /** Another leader, with the same state. */
  restarted(connect: ConnectSettings | null, primary?: PrimaryAuthority): CertificateAuthority {
    this.alarms.clear();
    this.authority = new CertificateAuthority({
      ...{ machine: this.state.machine, timers: nodeTimers, datacenter: this.datacenter, connect },
      primary: primary ?? null,
      secondaries: () => this.secondaries,
      nowMs: () => this.state.nowMs,
      leads: () => this.leads,
      log: (level, line) => void this.logged.push(`${level} ${line}`),
      settled: () => Promise.resolve(),
      clock: {
        handle: (owner, handler) =>
          void this.alarms.set(owner, { handler: () => handler(this.state.nowMs) }),
        set: (owner, atMs) => {
          const { handler = () => undefined } = this.alarms.get(owner) ?? {};
          this.alarms.set(owner, { handler, atMs });
        },
        deadline: (owner) => this.alarms.get(owner)?.atMs,
      },
      requests: {
        writeHere: async ({ write }) => {
          await Promise.resolve();
          this.written.push(write.type);
          const applied = this.state.apply(write);
          this.authority.applied([applied]);
          const { outcome } = applied;
          if (!outcome.ok) throw new ServiceError(outcome.error.code, outcome.error.message);
          return outcome.value as JsonValue;
        },
      },
    });
    return this.authority;
  }

  /** As another datacenter reaches it; `isCut`: nothing passes. */
  reached(isCut: () => boolean = () => false): PrimaryAuthority {
    return {
      name: this.datacenter,
      ask: async (question) => {
        if (isCut()) throw new Error("No path to datacenter");
        const asked = JSON.parse(JSON.stringify(question)) as typeof question;
        const answer = JSON.stringify(await this.authority.answer(asked));
        if (isCut()) throw new Error("No path to datacenter");
        return JSON.parse(answer);
      },
    };
  }

  /** Everything that is due by then happens at its time. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.state.nowMs + ms;
    for (;;) {
      const due = [...this.alarms.values()].filter(({ atMs = untilMs + 1 }) => atMs <= untilMs);
      const [next] = due.toSorted((a, b) => (a.atMs ?? 0) - (b.atMs ?? 0));
      if (!next) break;
      this.state.nowMs = Math.max(this.state.nowMs, next.atMs ?? 0);
      delete next.atMs;
      await next.handler();
    }
    this.state.nowMs = untilMs;
  }

  get roots(): Roots {
    return this.state.read("ca.roots", {}).value as Roots;
  }

  get active(): Root {
    const found = this.roots.Roots.find(({ Active }) => Active);
    if (!found) throw new Error("no root is active");
    return found;
  }

  async configure(Config: Record<string, JsonValue>, ForceWithoutCrossSigning = false) {
    await this.authority.configure({
      body: { Provider: "consul", Config, ForceWithoutCrossSigning },
    });
  }

  async issue(service = "web"): Promise<IssuedCertificate> {
    const key = await generateKey("ec", 256);
    const { TrustDomain: trustDomain } = this.roots;
    const uri = serviceUri(trustDomain, this.datacenter, service);
    return await this.authority.sign({
      body: await createRequest(key, { uri, commonName: service }),
    });
  }
}

/** Certificates of a text, in its order. */
export function chainOf(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN[\s\S]*?END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

/** Whether each certificate of a chain is signed by the next one, and the last one by the root. */
export function isChain(pem: string, root: string): boolean {
  const chain = [...chainOf(pem), new X509Certificate(root)];
  return chain.slice(1).every((issuer, at) => {
    const signed = chain[at];
    return signed?.checkIssued(issuer) === true && signed.verify(issuer.publicKey);
  });
}
