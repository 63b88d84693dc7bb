// A session for as long as a command runs: made for it, renewed until it ends, and ended with it.

import { AnswerError, type Api, pathEscape, ResponseError } from "./api.ts";

/** Whoever does not renew it for so long has lost it. */
const ttlMs = 15_000;
/** For one renewal, and for the end: an agent that hangs must not keep us in the belief that all is well. */
const answerLimitMs = 2_500;
const retryMs = 1_000;

export class HeldSession {
  readonly id: string;
  readonly #api: Api;
  readonly #lost: () => void;
  /** For the next renewal. */
  #timer: NodeJS.Timeout | undefined;
  /** For the end of the TTL, counted from when the last renewal that succeeded was sent. */
  #expiry: NodeJS.Timeout | undefined;

  private constructor(api: Api, id: string, lost: () => void) {
    this.#api = api;
    this.id = id;
    this.#lost = lost;
    this.#held(ttlMs);
  }

  /** `lost` is called when the session has ended, or may have: nobody answered for as long as its TTL. */
  static async create(
    api: Api,
    definition: { Name: string; Behavior?: "delete" },
    lost: () => void,
  ): Promise<HeldSession> {
    const body = { ...definition, TTL: `${ttlMs / 1_000}s` };
    const answer = await api.put("/v1/session/create", { body });
    const { ID: id } = answer.json<{ ID?: unknown }>();
    if (typeof id !== "string") throw new AnswerError("the answer names no session");
    return new HeldSession(api, id, lost);
  }

  /** Also when the agent cannot be asked: then the servers end it. */
  async destroy(): Promise<void> {
    this.#stop();
    await this.#ask("destroy").catch(() => undefined);
  }

  #held(leftMs: number): void {
    this.#stop();
    this.#timer = setTimeout(() => void this.#renew(), ttlMs / 2);
    this.#expiry = setTimeout(() => this.#end(), leftMs);
  }

  async #renew(): Promise<void> {
    const sentMs = performance.now();
    const expiry = this.#expiry;
    try {
      await this.#ask("renew");
      // Unless it ended meanwhile.
      if (this.#expiry === expiry) this.#held(ttlMs - (performance.now() - sentMs));
    } catch (failure) {
      if (this.#expiry !== expiry) return;
      if (failure instanceof ResponseError && failure.status === 404) return this.#end();
      this.#timer = setTimeout(() => void this.#renew(), retryMs);
    }
  }

  async #ask(what: "renew" | "destroy"): Promise<void> {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), answerLimitMs);
    const path = `/v1/session/${what}/${pathEscape(this.id)}`;
    await this.#api.put(path, { signal: limit.signal }).finally(() => clearTimeout(timer));
  }

  #end(): void {
    this.#stop();
    this.#lost();
  }

  #stop(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#expiry);
    this.#expiry = undefined;
  }
}
