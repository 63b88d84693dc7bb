// Auth methods, as far as the leader alone may act on them: it asks others whether a configuration can be used and
// whether a bearer is who they say, and proposes what comes of it. Nobody else's word counts: not an agent's, and not
// another server's. What verifies is large, and loaded where the first method is used.

import { bindingsOf } from "../../src/core/model/auth/binding.ts";
import type { Identity } from "../../src/core/model/auth/identity.ts";
import type { AuthMethod, LoginRequest } from "../../src/core/model/auth/types.ts";
import { ServiceError, unknownToken } from "../../src/core/model/errors.ts";
import { limits } from "../../src/core/model/limits.ts";
import type { StateMachine } from "../../src/core/state/machine.ts";
import {
  findLoginGround,
  outdatedText,
  tokenOfLogin,
} from "../../src/core/state/tables/auth/logins.ts";
import { type Timers, withTimeout } from "../../src/ports/timers.ts";
import type { Outside } from "../platform/platform.ts";
import type { ServerRequests } from "../server/requests.ts";
import type { JwtMethods } from "./auth/jwt.ts";
import type { KubernetesMethods } from "./auth/kubernetes.ts";

/** How often a login is decided again because its method changed meanwhile. */
const attemptsMax = 3;

export interface AuthMethodsParts {
  machine: StateMachine;
  outside: Outside;
  timers: Timers;
  /** Writes what only the leader of this term may. */
  requests: Pick<ServerRequests, "writeHere">;
  /** Resolves when the state here is that of a leader of now; rejects with NotLeader. */
  settled(): Promise<void>;
  nowMs(): number;
  /** A random UUID. */
  uuid(): string;
}

interface Methods {
  jwt: JwtMethods;
  kubernetes: KubernetesMethods;
}

export class AuthMethods {
  readonly #parts: AuthMethodsParts;
  #methods: Promise<Methods> | null = null;
  #logins = 0;

  constructor(parts: AuthMethodsParts) {
    this.#parts = parts;
  }

  /** Answers the method as JSON text. Rejects with ServiceError, or with NotLeader when it must be tried again. */
  async set(method: AuthMethod, token: string | undefined): Promise<string> {
    const { machine, requests, settled, nowMs } = this.#parts;
    await settled();
    const shown = token === undefined ? {} : { token };
    const given = { type: "auth.method.set", method } as const;
    const write = machine.admit(given, { ...shown, nowMs: nowMs() }) as typeof given;
    await this.#inTime(() => this.#check(write.method));
    return (await requests.writeHere({ id: 0, write, ...shown })) as string;
  }

  async #check({ Type: type, Config: config }: AuthMethod): Promise<void> {
    const methods = await this.#loaded();
    await methods[type as keyof Methods].check(config);
  }

  /** Answers a token as JSON text. Rejects as {@link set}. */
  async login(request: LoginRequest): Promise<string> {
    if (this.#logins >= limits.loginsAtOnceMax) {
      throw new ServiceError("too-many-requests", "Too many logins at once, try again later");
    }
    this.#logins++;
    try {
      return await this.#inTime(() => this.#login(request));
    } finally {
      this.#logins--;
    }
  }

  async #login(request: LoginRequest): Promise<string> {
    await this.#parts.settled();
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(request);
      } catch (failure) {
        const isOutdated = failure instanceof ServiceError && failure.message === outdatedText;
        if (!isOutdated || attempt === attemptsMax) throw failure;
      }
    }
  }

  async #attempt({ AuthMethod: name, BearerToken: bearer, Meta: meta }: LoginRequest) {
    const { machine, requests, uuid } = this.#parts;
    const ground = machine.ask((state) => findLoginGround(state, name));
    if (!ground) throw unknownToken();
    const { method, rules, index: decidedAt } = ground;
    const identity = await this.#identify(method, bearer);
    const bindings = bindingsOf(rules, method, identity);
    const ids = { AccessorID: uuid(), SecretID: uuid() };
    const token = machine.ask((state) => tokenOfLogin(state, { method, bindings, meta, ids }));
    if (!token) throw new ServiceError("permission-denied", "Permission denied");
    const write = { type: "auth.login", token, decidedAt } as const;
    return (await requests.writeHere({ id: 0, write })) as string;
  }

  async #identify({ Type: type, Config: config }: AuthMethod, bearer: string): Promise<Identity> {
    if (bearer.length > limits.bearerTokenLengthMax) {
      throw new ServiceError("invalid", "the bearer token is too long");
    }
    const methods = await this.#loaded();
    return await methods[type as keyof Methods].identify(config, bearer);
  }

  async #inTime<Value>(work: () => Promise<Value>): Promise<Value> {
    const late = (): Error => new ServiceError("invalid", "context deadline exceeded");
    return await withTimeout(this.#parts.timers, work(), limits.loginMsMax, late);
  }

  async #loaded(): Promise<Methods> {
    this.#methods ??= load(this.#parts);
    return await this.#methods;
  }
}

async function load({ outside, nowMs }: AuthMethodsParts): Promise<Methods> {
  const [jwt, kubernetes] = await Promise.all([
    import("./auth/jwt.ts"),
    import("./auth/kubernetes.ts"),
  ]);
  return {
    jwt: new jwt.JwtMethods(outside, nowMs),
    kubernetes: new kubernetes.KubernetesMethods(outside),
  };
}
