// The certificate authority, reached from every server: only the leader signs and configures.

import type { CertificateAuthority } from "../leader/certificate-authority.ts";
import type { ConfigureCaRequest, SignRequest } from "../../src/link/protocol.ts";
import { tokenOf } from "../../src/link/cluster.ts";
import type { IssuedCertificate } from "../../src/ports/cluster.ts";
import type { ServerRequests } from "./requests.ts";

export interface AuthorityAccessParts {
  authority: Pick<CertificateAuthority, "sign" | "configure">;
  requests: Pick<ServerRequests, "atLeader" | "requireDatacenter">;
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
    return await requests.atLeader("configure-ca", request, () => this.configureHere(request));
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
