// Roots of the primary datacenter, followed here: this datacenter makes a key of its own, which never leaves it, and
// has the primary's active root vouch for it by an intermediate certificate, with which it signs. It asks for another
// one when the primary has another root, and when half the life of the one it has is over. While the primary cannot be
// reached it signs with what it has.

import {
  type CaSettings,
  caSettings,
  consulProvider,
  initialCaConfig,
  memberOf,
  withoutRoot,
} from "../../../src/core/model/ca-configuration.ts";
import type { JsonValue } from "../../../src/core/model/json.ts";
import { ServiceError } from "../../../src/core/model/errors.ts";
import {
  configurationOf,
  findCaConfiguration,
  findSigner,
  type KeptConfiguration,
  requireCa,
} from "../../../src/core/state/tables/ca/authority.ts";
import { clusterId as identity } from "../../../src/core/state/tables/cluster/identity.ts";
import { retryDelayMs } from "../../datacenters/retry.ts";
import {
  type AuthorityParts,
  type Configuring,
  kept,
  keptForMs,
  making,
  type RootSource,
  settingsOf,
  tokenOf,
} from "./parts.ts";
import { NotLeader } from "../../raft/outcome.ts";
import type { ActiveRoot, PrimaryAuthority, SignedIntermediate } from "./questions.ts";

const owner = "ca-intermediate";
/** Half a life is long: a certificate may be renewed this much later rather than write a row to be on time. */
const renewalSlackMs = 60_000;
/** Whatever the clocks of both datacenters say. */
const renewalMsMin = 600_000;
/** A leader that wakes does not know how often it has tried before it slept. */
const failuresBeforeSleep = 6;
const refusal = "Error updating secondary datacenter CA config: ";

export class PrimarysRoots implements RootSource {
  readonly #parts: AuthorityParts;
  readonly #primary: PrimaryAuthority;
  #running: Promise<unknown> = Promise.resolve();
  #failures = 0;

  constructor(parts: AuthorityParts, primary: PrimaryAuthority) {
    this.#parts = parts;
    this.#primary = primary;
    parts.clock.handle(owner, async () => await this.#follow());
  }

  get isMissing(): boolean {
    const { machine, connect } = this.#parts;
    return connect !== null && machine.ask(findCaConfiguration) === undefined;
  }

  async initialize(): Promise<void> {
    const { machine, connect, requests } = this.#parts;
    if (!connect || !this.isMissing) return;
    const config = { ...initialCaConfig, ...this.#ownConfig() };
    const clusterId = machine.ask(identity) ?? connect.clusterId ?? crypto.randomUUID();
    const configuration = kept({ Provider: consulProvider, Config: config, force: false });
    await requests.writeHere({ id: 0, write: { type: "ca.prepare", clusterId, configuration } });
  }

  arm(): void {
    const { machine, clock, connect, nowMs } = this.#parts;
    if (connect === null) return;
    const renewMs = machine.ask(findSigner)?.intermediate?.renew_ms ?? 0;
    if (renewMs > nowMs()) return clock.set(owner, renewMs, renewalSlackMs);
    this.#failures = Math.max(this.#failures, failuresBeforeSleep);
    clock.set(owner, nowMs() + retryDelayMs(this.#failures));
  }

  /** To be called when the primary has news, and when this server begins to lead. Never rejects. */
  async follow(): Promise<void> {
    this.#failures = 0;
    await this.#follow();
  }

  async configure({ configuration, wanted, token }: Configuring): Promise<void> {
    const { machine, requests } = this.#parts;
    if (wanted.rootCert !== "") {
      throw new ServiceError("invalid", `${refusal}the root is that of ${this.#primary.name}`);
    }
    await this.#inTurn(async () => {
      const signer = machine.ask(findSigner);
      if (!signer) {
        const reason = "primary datacenter does not have an active root CA for Connect";
        throw new ServiceError("invalid", refusal + reason);
      }
      if (wanted.privateKey !== settingsOf(signer).privateKey) {
        const how = { configuration: [configuration], ...tokenOf(token) };
        return await this.#renew(wanted, signer.clusterId, how).catch(refused);
      }
      const expected = signer.root.ID;
      const write = { type: "ca.configure" as const, expected, configuration, next: [] };
      await requests.writeHere({ id: 0, write, ...tokenOf(token) });
    });
  }

  async #follow(): Promise<void> {
    const { leads, connect, log } = this.#parts;
    if (!leads() || connect === null) return;
    try {
      await this.#inTurn(async () => await this.#followNow());
      this.#failures = 0;
      this.arm();
    } catch (failure) {
      if (!leads()) return;
      this.#failures += 1;
      const delayMs = retryDelayMs(this.#failures);
      this.#parts.clock.set(owner, this.#parts.nowMs() + delayMs, delayMs);
      const what = `cannot get an intermediate certificate from datacenter ${this.#primary.name}`;
      const again = `again in ${Math.round(delayMs / 1_000)} s`;
      log("warn", `${what}: ${(failure as Error).message}; ${again}${this.#meanwhile()}`);
    }
  }

  #meanwhile(): string {
    const hasOne = this.#parts.machine.ask(findSigner)?.intermediate;
    return hasOne ? ", and signs with the one it has until then" : "";
  }

  async #followNow(): Promise<void> {
    const { machine, log } = this.#parts;
    await this.initialize();
    const { clusterId, activeId } = (await this.#primary.ask({ ask: "root" })) as ActiveRoot;
    if (this.#isCurrent(clusterId, activeId)) return;
    const signer = machine.ask(findSigner);
    const settings = signer?.intermediate ? settingsOf(signer) : this.#initialSettings();
    await this.#renew(settings, clusterId, { configuration: [] });
    log("info", `got an intermediate certificate from datacenter ${this.#primary.name}`);
  }

  #isCurrent(clusterId: string, activeId: string): boolean {
    const { machine, nowMs } = this.#parts;
    const signer = machine.ask(findSigner);
    if (!signer?.intermediate || signer.intermediate.renew_ms <= nowMs()) return false;
    return signer.clusterId === clusterId && signer.root.ID === activeId;
  }

  #initialSettings(): CaSettings {
    const { config } = configurationOf(this.#parts.machine.ask(requireCa));
    const { privateKey } = caSettings(this.#ownConfig());
    return caSettings({ ...withoutRoot(config), PrivateKey: privateKey });
  }

  /** What the operator wrote down, without a root and its key: those are the primary's. */
  #ownConfig(): Record<string, JsonValue> {
    const { config = {} } = this.#parts.connect ?? {};
    return memberOf(config, "RootCert") === null ? config : withoutRoot(config);
  }

  /** A new key, unless one is given, and a certificate for it. */
  async #renew(
    settings: CaSettings,
    clusterId: string,
    how: { configuration: KeptConfiguration[]; token?: string },
  ): Promise<void> {
    const { datacenter: from, requests, nowMs } = this.#parts;
    const { requestIntermediate, rootUnder } = await making();
    const { key, csr, privateKey, given } = await requestIntermediate(settings, clusterId);
    const answer = await this.#primary.ask({ ask: "sign", from, csr });
    const { certificate, roots } = answer as SignedIntermediate;
    if (roots.clusterId !== clusterId) throw new Error("its trust domain is another one by now");
    const { root, middleMs } = await rootUnder(certificate, { key, root: roots.active });
    const renewMs = Math.max(middleMs, nowMs() + renewalMsMin);
    // The others would be forgotten at once.
    const untilMs = nowMs() - keptForMs(settings);
    const replaced = roots.replaced.filter(({ rotatedOutMs }) => rotatedOutMs > untilMs);
    const write = {
      type: "ca.follow",
      roots: { clusterId: roots.clusterId, active: root, replaced },
      intermediate: { privateKey, given, certificate, renewMs },
      configuration: how.configuration,
    } as const;
    await requests.writeHere({ id: 0, write, ...tokenOf(how.token) });
  }

  /** One after the other: each begins with what the last one has written. */
  async #inTurn(work: () => Promise<void>): Promise<void> {
    const running = this.#running.then(work);
    this.#running = running.catch(() => undefined);
    await running;
  }
}

/** The primary did not sign: nothing has changed. */
function refused(failure: Error): never {
  if (failure instanceof ServiceError || failure instanceof NotLeader) throw failure;
  throw new ServiceError("invalid", refusal + failure.message);
}
