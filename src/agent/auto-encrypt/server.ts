// The agent of a server, which passes on requests of agents for certificates (`auto_encrypt.allow_tls`): the leader
// signs them, if the token that was shown may write the node. Who has such a certificate may come in as an agent.

import { ServiceError } from "../../core/model/errors.ts";
import type { Cluster } from "../../ports/cluster.ts";
import type { TlsMaterial } from "../tls/material.ts";
import { type AutoEncryptAnswer, decodeQuestion } from "./protocol.ts";
import { followRoots, readRoots } from "./roots.ts";

export class AutoEncryptServer {
  readonly #tls: TlsMaterial;
  readonly #end = new AbortController();
  #cluster: Cluster | null = null;

  constructor(tls: TlsMaterial) {
    this.#tls = tls;
  }

  /** `cluster`: shows the token that it is given, and no other. */
  start(cluster: Cluster): this {
    this.#cluster = cluster;
    void followRoots(cluster, this.#end.signal, ({ roots }) => {
      this.#tls.give({ pair: null, vouched: roots, verifyServerHostname: false });
    });
    return this;
  }

  stop(): void {
    this.#end.abort();
  }

  /** Never rejects. */
  async answer(body: string, token: string): Promise<{ status: number; text: string }> {
    const question = decodeQuestion(body);
    if (!question) return { status: 400, text: "no request for a certificate" };
    if (!this.#cluster) return { status: 503, text: "the servers are starting" };
    try {
      return {
        status: 200,
        text: JSON.stringify(await this.#answer(this.#cluster, question.csr, token)),
      };
    } catch (failure) {
      const isForbidden = failure instanceof ServiceError && failure.code === "permission-denied";
      return { status: isForbidden ? 403 : 500, text: (failure as Error).message };
    }
  }

  async #answer(cluster: Cluster, csr: string, token: string): Promise<AutoEncryptAnswer> {
    const { verifyServerHostname } = this.#tls.current.config;
    const { trustDomain, roots } = await readRoots(cluster);
    const nothing = { certPem: "", validAfter: "", validBefore: "" };
    const issued = csr === "" ? nothing : await cluster.signCertificate(csr, { token });
    const { certPem: certificate, validAfter, validBefore } = issued;
    return { trustDomain, certificate, validAfter, validBefore, roots, verifyServerHostname };
  }
}
