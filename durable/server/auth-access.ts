// Auth methods, reached from every server: only the leader looks at configurations and decides about logins.

import { ServiceError } from "../../src/core/model/errors.ts";
import type { StateMachine } from "../../src/core/state/machine.ts";
import type { AuthMethodRequest, LoginOverLink } from "../../src/link/protocol.ts";
import type { AuthMethods } from "../leader/auth-methods.ts";
import type { ServerRequests } from "./requests.ts";

export interface AuthAccessParts {
  methods: Pick<AuthMethods, "set" | "login">;
  machine: StateMachine;
  requests: Pick<ServerRequests, "onceAtLeader" | "requireDatacenter">;
}

export class AuthAccess {
  readonly #parts: AuthAccessParts;

  constructor(parts: AuthAccessParts) {
    this.#parts = parts;
  }

  /** Rejects with ServiceError. */
  async login(request: LoginOverLink): Promise<string> {
    const { requests } = this.#parts;
    this.#requireEnabled();
    requests.requireDatacenter(request.dc);
    return await requests.onceAtLeader("login", request, () => this.loginHere(request));
  }

  /** Rejects with ServiceError. */
  async setMethod(request: AuthMethodRequest): Promise<string> {
    const { requests } = this.#parts;
    this.#requireEnabled();
    requests.requireDatacenter(request.dc);
    return await requests.onceAtLeader("auth-method", request, () => this.setMethodHere(request));
  }

  /** The same at the leader. Rejects with NotLeader when it must be tried again. */
  async loginHere(request: LoginOverLink): Promise<string> {
    return await this.#parts.methods.login(request.login);
  }

  async setMethodHere(request: AuthMethodRequest): Promise<string> {
    return await this.#parts.methods.set(request.authMethod, request.token);
  }

  #requireEnabled(): void {
    const isEnabled = this.#parts.machine.ask(({ acl }) => acl.enabled);
    if (!isEnabled) throw new ServiceError("acl-disabled", "ACL support disabled");
  }
}
