// Replication between datacenters, as the rest of a server sees it: whichever side this datacenter is on (decision 17).

import type { Applied } from "../../src/core/state/machine.ts";
import type { CertificateAuthority } from "../leader/authority/certificate-authority.ts";
import type { ServerRequests } from "../server/requests.ts";
import type {
  ReplicationNews,
  ReplicationQuestion,
  ReplicationSource,
} from "./replication-source.ts";
import type { Replicator } from "./replicator.ts";

export interface ReplicationParts {
  source: ReplicationSource;
  /** Null in the primary. */
  replicator: Replicator | null;
  /** Follows the primary's roots of certificates. */
  authority: Pick<CertificateAuthority, "follow">;
  requests: Pick<ServerRequests, "atLeader" | "onceAtLeader">;
  /** Resolves when the state here is that of a leader of now; rejects with NotLeader. */
  settled(): Promise<void>;
}

export class Replication {
  readonly #parts: ReplicationParts;

  constructor(parts: ReplicationParts) {
    this.#parts = parts;
  }

  /** When this server begins to lead, or wakes as leader. */
  arm(): void {
    this.#parts.source.arm();
  }

  applied(entries: readonly Applied[]): void {
    this.#parts.source.applied(entries);
  }

  /** A snapshot took the place of the log. */
  replaced(): void {
    this.#parts.source.replaced();
  }

  /** When this server begins to lead, or its state was restored. Never rejects. */
  async begin(): Promise<void> {
    const { replicator, authority } = this.#parts;
    await Promise.all([replicator?.begin(), authority.follow()]);
  }

  /** Answers a secondary, at any server. Rejects with ServiceError. */
  async answer(question: ReplicationQuestion): Promise<unknown> {
    const here = async (): Promise<unknown> => await this.answerHere(question);
    return await this.#parts.requests.atLeader("replication-here", question, here);
  }

  /** The same at the leader. Rejects with NotLeader when it must be tried again. */
  async answerHere(question: ReplicationQuestion): Promise<unknown> {
    await this.#parts.settled();
    return this.#parts.source.answer(question);
  }

  /** The primary has news. Resolves when they are here. Rejects with ServiceError. */
  async hear(news: ReplicationNews): Promise<true> {
    const here = async (): Promise<true> => await this.hearHere(news);
    return await this.#parts.requests.onceAtLeader("replication-news-here", news, here);
  }

  /** The same at the leader. */
  async hearHere(news: ReplicationNews): Promise<true> {
    const { replicator, authority } = this.#parts;
    await Promise.all([replicator?.pull(news), authority.follow()]);
    return true;
  }
}
