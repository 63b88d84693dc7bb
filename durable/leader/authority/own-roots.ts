// Roots that are made here, in a primary datacenter. One that was a secondary before makes a root, too: until then it
// signed under that of the primary before it.

import {
  caSettings,
  consulProvider,
  initialCaConfig,
  withoutRoot,
} from "../../../src/core/model/ca-configuration.ts";
import { ServiceError } from "../../../src/core/model/errors.ts";
import {
  type CaSigner,
  configurationOf,
  findActiveRoot,
  findCaConfiguration,
  findSigner,
  firstSerial,
  type NewRoot,
  requireSigner,
} from "../../../src/core/state/tables/ca/authority.ts";
import { clusterId as identity } from "../../../src/core/state/tables/cluster/identity.ts";
import {
  type AuthorityParts,
  type Configuring,
  type Issuers,
  kept,
  making,
  type RootSource,
  settingsOf,
  tokenOf,
} from "./parts.ts";

const crossSigningText =
  "The current CA Provider does not support cross-signing. You can try again with ForceWithoutCrossSigningSet " +
  "but this may cause disruption - see documentation for more.";

export class OwnRoots implements RootSource {
  readonly #parts: AuthorityParts;
  readonly #issuers: Issuers;

  constructor(parts: AuthorityParts, issuers: Issuers) {
    this.#parts = parts;
    this.#issuers = issuers;
  }

  get isMissing(): boolean {
    const { machine, connect } = this.#parts;
    if (connect === null) return false;
    // Without a configuration there is no root, either.
    if (!machine.ask(findActiveRoot)) return true;
    return (machine.ask(findSigner)?.intermediate ?? null) !== null;
  }

  async initialize(): Promise<void> {
    const { machine, connect, requests, nowMs } = this.#parts;
    if (!connect || !this.isMissing) return;
    if (machine.ask(findCaConfiguration)) return await this.#takeOver();
    const config = { ...initialCaConfig, ...connect.config };
    const clusterId = machine.ask(identity) ?? connect.clusterId ?? crypto.randomUUID();
    const settings = caSettings(config);
    const { makeRoot } = await making();
    const first = await makeRoot(settings, { clusterId, serial: firstSerial, nowMs: nowMs() });
    const configuration = kept({ Provider: consulProvider, Config: config, force: false });
    const write = { type: "ca.initialize", clusterId, configuration, first } as const;
    await requests.writeHere({ id: 0, write });
  }

  arm(): void {
    // Nothing ends by itself: these roots live for ten years.
  }

  async configure(configuring: Configuring): Promise<void> {
    const { machine, requests } = this.#parts;
    const { configuration, token } = configuring;
    const signer = machine.ask(requireSigner);
    const successor = await this.#successor(signer, configuring);
    const next = successor ? [successor] : [];
    const expected = signer.root.ID;
    const write = { type: "ca.configure" as const, expected, configuration, next };
    await requests.writeHere({ id: 0, write, ...tokenOf(token) });
  }

  /** The root that a configuration asks for; null when that is the one that there is. */
  async #successor(
    signer: CaSigner,
    { configuration, wanted, token }: Configuring,
  ): Promise<NewRoot | null> {
    const { requests, nowMs } = this.#parts;
    const { clusterId } = signer;
    const old = settingsOf(signer);
    if (wanted.privateKey === old.privateKey && wanted.rootCert === old.rootCert) return null;
    const { bridge, makeRoot } = await making();
    if (!old.crossSigns && !configuration.force)
      throw new ServiceError("invalid", crossSigningText);
    const write = { type: "ca.serial", count: 2 } as const;
    const serial = (await requests.writeHere({ id: 0, write, ...tokenOf(token) })) as number;
    const next = await makeRoot(wanted, { clusterId, serial, nowMs: nowMs() });
    if (next.root.ID === signer.root.ID) return null;
    if (!old.crossSigns) return next;
    const issuer = await this.#issuers.of(signer);
    const bridged = await bridge(issuer, next.root.RootCert, {
      serial: serial + 1,
      nowMs: nowMs(),
    });
    return { ...next, root: { ...next.root, IntermediateCerts: [bridged] } };
  }

  /** Nobody vouches for the root with which a datacenter that was a secondary begins: both are trusted for a while. */
  async #takeOver(): Promise<void> {
    const { machine, requests, nowMs } = this.#parts;
    const row = machine.ask(findCaConfiguration);
    if (!row) return;
    const known = configurationOf(row);
    const configuration = { ...known, config: withoutRoot(known.config) };
    const settings = caSettings(configuration.config);
    const taking = { type: "ca.serial", count: 1 } as const;
    const serial = (await requests.writeHere({ id: 0, write: taking })) as number;
    const { makeRoot } = await making();
    const parts = { clusterId: row.cluster_id, serial, nowMs: nowMs() };
    const next = [await makeRoot(settings, parts)];
    const expected = machine.ask(findActiveRoot)?.id ?? "";
    const write = { type: "ca.configure" as const, expected, configuration, next };
    await requests.writeHere({ id: 0, write });
  }
}
