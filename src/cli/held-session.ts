// A session for as long as a command runs: made for it, renewed until it ends, and ended with it.

import { AnswerError, type Api, pathEscape, ResponseError } from "./api.ts";

/** Whoever does not renew it for so long has lost it. */
const ttlMs = 15_000;

export class HeldSession {
  readonly id: string;
  readonly #api: Api;
  #timer: NodeJS.Timeout | undefined;

  private constructor(api: Api, id: string, lost: () => void) {
    this.#api = api;
    this.id = id;
    this.#renewLater(lost);
  }

  /** `lost` is called when the session ended by itself. */
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
    clearTimeout(this.#timer);
    await this.#api.put(`/v1/session/destroy/${this.id}`).catch(() => undefined);
  }

  #renewLater(lost: () => void): void {
    this.#timer = setTimeout(() => void this.#renew(lost), ttlMs / 2);
  }

  async #renew(lost: () => void): Promise<void> {
    try {
      await this.#api.put(`/v1/session/renew/${pathEscape(this.id)}`);
    } catch (failure) {
      // What cannot be asked now is asked again: the TTL decides.
      if (failure instanceof ResponseError && failure.status === 404) return lost();
    }
    this.#renewLater(lost);
  }
}
