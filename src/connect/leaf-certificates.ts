// Certificates of services, as an agent keeps them for its proxies: one key and certificate for each service and token,
// made when the first asks, again when 60 to 90 % of its life is over, and again within half a minute when another key
// signs (so that not all agents ask the leader at once). Whoever asks meanwhile shares what is being made.

import { ServiceError } from "../core/model/errors.ts";
import { serviceCommonName, serviceUri } from "../core/model/spiffe.ts";
import type { Cluster, WriteOptions } from "../ports/cluster.ts";
import type { Leaf, LeafOptions, LeafReply } from "../ports/leaf-source.ts";
import type * as Certificates from "./certificates.ts";
import type * as Keys from "./keys.ts";

/** Part of a certificate's life after which it may be renewed, and by which it is. */
const renewal = { from: 0.6, to: 0.9 } as const;
const rotationSpreadMs = 30_000;
/** After a renewal failed. */
const retryMs = 15_000;

/** A certificate as it is kept. */
export interface HeldLeaf {
  leaf: Leaf;
  /** The root that was active when it was asked for, and the key that signed under it. */
  signer: string;
  madeMs: number;
  /** When another one is to be made. */
  renewMs: number;
}

/** Where certificates are kept; they can always be made again. */
export interface LeafStore {
  get(key: string): HeldLeaf | undefined;
  put(key: string, held: HeldLeaf): void;
}

export interface LeafParts {
  cluster: Pick<Cluster, "read" | "signCertificate">;
  store: LeafStore;
  datacenter: string;
  nowMs(): number;
  /** In [0, 1). */
  random(): number;
}

/** A certificate of now, and when that ends. */
export interface CurrentLeaf extends LeafReply {
  /** Index of the roots that it was judged by. */
  rootsIndex: number;
  renewMs: number;
}

interface Roots {
  index: number;
  /** The active one, and the key that signs under it; "" for none. */
  signer: string;
  trustDomain: string;
}

export class LeafCertificates {
  readonly #parts: LeafParts;
  /** What is being made, by its key. */
  readonly #making = new Map<string, Promise<HeldLeaf>>();

  constructor(parts: LeafParts) {
    this.#parts = parts;
  }

  /** Rejects with ServiceError. */
  async current(service: string, options: WriteOptions): Promise<CurrentLeaf> {
    const { store, nowMs } = this.#parts;
    const roots = await this.#roots(options);
    const key = await keyOf(service, options);
    const held = store.get(key);
    if (held) this.#noteSigner(key, held, roots);
    const known = store.get(key);
    if (known && nowMs() < known.renewMs) return this.#reply(known, roots, true);
    try {
      return this.#reply(await this.#shared(key, service, roots, options), roots, false);
    } catch (failure) {
      const stillHolds = known && nowMs() < Date.parse(known.leaf.validBefore);
      if (!stillHolds || isRefusal(failure)) throw failure;
      const later = { ...known, renewMs: nowMs() + retryMs };
      store.put(key, later);
      return this.#reply(later, roots, true);
    }
  }

  #reply(held: HeldLeaf, roots: Roots, hit: boolean): CurrentLeaf {
    const ageMs = Math.max(0, this.#parts.nowMs() - held.madeMs);
    return {
      leaf: held.leaf,
      hit,
      ageSeconds: Math.floor(ageMs / 1_000),
      rootsIndex: roots.index,
      renewMs: held.renewMs,
    };
  }

  /** Another key signs now: the certificate is good, but not for long. */
  #noteSigner(key: string, held: HeldLeaf, { signer }: Roots): void {
    if (held.signer === signer) return;
    const { nowMs, random, store } = this.#parts;
    const renewMs = Math.min(held.renewMs, nowMs() + random() * rotationSpreadMs);
    store.put(key, { ...held, signer, renewMs });
  }

  #shared(key: string, service: string, roots: Roots, options: WriteOptions): Promise<HeldLeaf> {
    const known = this.#making.get(key);
    if (known) return known;
    const making = this.#make(service, roots, options)
      .then((held) => {
        this.#parts.store.put(key, held);
        return held;
      })
      .finally(() => this.#making.delete(key));
    this.#making.set(key, making);
    return making;
  }

  async #make(service: string, roots: Roots, options: WriteOptions): Promise<HeldLeaf> {
    const { cluster, datacenter, nowMs, random } = this.#parts;
    if (service === "") throw new ServiceError("invalid", "URI must be either service or agent");
    const { createRequest } = await certificates();
    const { exportKey, generateKey } = await keys();
    const key = await generateKey("ec", 256);
    const { trustDomain } = roots;
    const uri = serviceUri(trustDomain, datacenter, service);
    const commonName = serviceCommonName(trustDomain, service);
    const csr = await createRequest(key, { uri, commonName });
    const issued = await cluster.signCertificate(csr, options);
    const [fromMs, toMs] = [Date.parse(issued.validAfter), Date.parse(issued.validBefore)];
    const part = renewal.from + (renewal.to - renewal.from) * random();
    return {
      leaf: { ...issued, service, privateKeyPem: await exportKey(key) },
      signer: roots.signer,
      madeMs: nowMs(),
      renewMs: fromMs + (toMs - fromMs) * part,
    };
  }

  /** Everybody may see them, so all tokens share what is followed. */
  async #roots({ dc }: WriteOptions): Promise<Roots> {
    const options = { cached: true, ...(dc !== undefined && { dc }) };
    const { body, index } = await this.#parts.cluster.read("ca.roots", {}, options);
    const { Roots: all = [], TrustDomain: trustDomain } = JSON.parse(body ?? "{}") as {
      Roots?: { ID: string; SigningKeyID: string; Active: boolean }[];
      TrustDomain: string;
    };
    const active = all.find(({ Active }) => Active);
    return { index, signer: active ? `${active.ID} ${active.SigningKeyID}` : "", trustDomain };
  }
}

/**
 * A certificate whose index is greater than the caller's, as soon as there is one, or what there is when the time is
 * over. `current` answers for now; waiting costs nothing but a read of the roots. Rejects with ServiceError.
 */
export async function leafAfter(
  parts: Pick<LeafParts, "cluster" | "nowMs"> & { current(): Promise<CurrentLeaf> },
  options: LeafOptions,
): Promise<LeafReply> {
  const { cluster, current, nowMs } = parts;
  const { minIndex = 0, waitMs = 0, signal, dc } = options;
  const endMs = nowMs() + waitMs;
  let waited = false;
  for (;;) {
    const { rootsIndex, renewMs, ...reply } = await current();
    const leftMs = endMs - nowMs();
    const isNews = minIndex === 0 || reply.leaf.index > minIndex;
    if (isNews || leftMs <= 0 || signal?.aborted === true) {
      return { ...reply, hit: reply.hit && !waited };
    }
    waited = true;
    await cluster.read(
      "ca.roots",
      {},
      {
        minIndex: rootsIndex,
        waitMs: Math.max(1, Math.min(leftMs, renewMs - nowMs())),
        ...(dc !== undefined && { dc }),
        ...(signal && { signal }),
      },
    );
  }
}

async function certificates(): Promise<typeof Certificates> {
  return await import("./certificates.ts");
}

async function keys(): Promise<typeof Keys> {
  return await import("./keys.ts");
}

/** Tokens are secrets: they are kept as what nobody can read. */
async function keyOf(service: string, { token = "" }: WriteOptions): Promise<string> {
  if (token === "") return service;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token));
  const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0"));
  return `${service}\0${hex.join("")}`;
}

/** Asking again would come to the same. */
function isRefusal(failure: unknown): boolean {
  return failure instanceof ServiceError && failure.code === "permission-denied";
}
