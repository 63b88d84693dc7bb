// The certificate authority, reached from every server: only the leader signs and configures.

import type { CertificateAuthority } from "../leader/authority/certificate-authority.ts";
import type { AuthorityQuestion } from "../leader/authority/questions.ts";
import type { ConfigureCaRequest, SignRequest } from "../../src/link/protocol.ts";
import { tokenOf } from "../../src/link/cluster.ts";
import type { IssuedCertificate } from "../../src/ports/cluster.ts";
import type { ServerRequests } from "./requests.ts";

export interface AuthorityAccessParts {
  authority: Pick<CertificateAuthority, "sign" | "configure" | "answer">;
  requests: Pick<ServerRequests, "atLeader" | "onceAtLeader" | "requireDatacenter">;
}

export class AuthorityAccess {
  readonly #parts: AuthorityAccessParts;

  constructor(parts: AuthorityAccessParts) {
    this.#parts = parts;
  }

  /** Rejects with ServiceError. */
  async sign(request: SignRequest): Promise<IssuedCertificate> {
    const { requests } = this.#parts;
    requests.requireDatacenter(request.dc);
    return await requests.atLeader("sign", request, () => this.signHere(request));
  }

  /** Rejects with ServiceError. */
  async configure(request: ConfigureCaRequest): Promise<true> {
    const { requests } = this.#parts;
    requests.requireDatacenter(request.dc);
    // It may have to ask another datacenter, and to make a large key.
    return await requests.onceAtLeader("configure-ca", request, () => this.configureHere(request));
  }

  /** What a secondary datacenter asks. Rejects with ServiceError. */
  async answer(question: AuthorityQuestion): Promise<unknown> {
    const here = async (): Promise<unknown> => await this.answerHere(question);
    return await this.#parts.requests.atLeader("authority-here", question, here);
  }

  /** The same at the leader. Rejects with NotLeader when it must be tried again. */
  async answerHere(question: AuthorityQuestion): Promise<unknown> {
    return await this.#parts.authority.answer(question);
  }

  /** The same at the leader. Rejects with NotLeader when it must be tried again. */
  async signHere(request: SignRequest): Promise<IssuedCertificate> {
    return await this.#parts.authority.sign({ body: request.sign, ...tokenOf(request) });
  }

  async configureHere(request: ConfigureCaRequest): Promise<true> {
    return await this.#parts.authority.configure({
      body: request.configureCa,
      ...tokenOf(request),
    });
  }
}
