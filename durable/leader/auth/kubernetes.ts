// Auth methods of type `kubernetes`: tokens of service accounts, which the API server of their cluster reviews.

import {
  type KubernetesConfig,
  readKubernetesConfig,
  refuseMethod,
} from "../../../src/core/model/auth/config.ts";
import { accountIdentity, type Identity } from "../../../src/core/model/auth/identity.ts";
import { ServiceError } from "../../../src/core/model/errors.ts";
import type { JsonObject } from "../../../src/core/model/json.ts";
import { DecodeError, parseRawJson } from "../../../src/core/model/raw-json.ts";
import type { Outside, OutsideAnswer } from "../../platform/platform.ts";
import { JwsFault, parseJws } from "./jws.ts";
import { ask, OutsideFault } from "./outside.ts";
import { isCertificate } from "./public-keys.ts";

/** By which a service account says that its service has another name. */
const nameAnnotation = "consul.hashicorp.com/service-name";
/** Of what an API server answers, in a text about it. */
const shownMax = 512;

/** As somebody else's server answers it: anything may be anything. */
interface TokenReview {
  status?: {
    authenticated?: unknown;
    error?: unknown;
    user?: { username?: unknown; uid?: unknown } | null;
  } | null;
}

interface ServiceAccount {
  metadata?: { annotations?: Record<string, unknown> | null } | null;
}

interface ApiQuestion {
  path: string;
  body?: string;
  /** As the client library of Kubernetes calls it. */
  what: string;
  prefix?: string;
}

export class KubernetesMethods {
  readonly #outside: Outside;

  constructor(outside: Outside) {
    this.#outside = outside;
  }

  /** Rejects with ServiceError for a configuration that no login could use. */
  async check(given: JsonObject | null): Promise<void> {
    const { CACert: ca, ServiceAccountJWT: token } = readKubernetesConfig(given);
    if (!(await isCertificate(ca))) {
      const problem = "data does not contain any valid RSA or ECDSA certificates";
      refuseMethod(`error parsing kubernetes ca cert: ${problem}`);
    }
    if (token === "") refuseMethod("Config.ServiceAccountJWT is required");
    const problem = jwsProblem(token);
    if (problem !== null) refuseMethod(`Config.ServiceAccountJWT is not a valid JWT: ${problem}`);
    if (this.#outside.trustsGiven) return;
    refuseMethod(
      "Config.CACert cannot be used where these servers run: only the platform's authorities are trusted",
    );
  }

  /** Whose token this is. Rejects with ServiceError unless the API server says so. */
  async identify(given: JsonObject | null, bearer: string): Promise<Identity> {
    const config = readKubernetesConfig(given);
    const problem = jwsProblem(bearer);
    if (problem !== null) throw refused(`failed to parse and validate JWT: ${problem}`);
    const { namespace, name, uid } = await this.#review(config, bearer);
    const account = await this.#account(config, namespace, name);
    const annotations = account.metadata?.annotations ?? {};
    const isRenamed = Object.hasOwn(annotations, nameAnnotation);
    const called = isRenamed ? textOf(annotations[nameAnnotation]) : name;
    return accountIdentity({ namespace, name: called, uid });
  }

  async #review(
    config: KubernetesConfig,
    token: string,
  ): Promise<{ namespace: string; name: string; uid: string }> {
    const review = {
      kind: "TokenReview",
      apiVersion: "authentication.k8s.io/v1",
      metadata: { creationTimestamp: null },
      spec: { token },
      status: { user: {} },
    };
    const { status } = await this.#ask<TokenReview>(config, {
      path: "/apis/authentication.k8s.io/v1/tokenreviews",
      body: JSON.stringify(review),
      what: "post tokenreviews.authentication.k8s.io",
    });
    const { error, authenticated, user } = status ?? {};
    if (textOf(error) !== "") throw refused(`lookup failed: ${textOf(error)}`);
    if (authenticated !== true) throw refused("lookup failed: service account jwt not valid");
    const parts = textOf(user?.username).split(":");
    if (parts.length !== 4) throw refused("lookup failed: unexpected username format");
    const [system, kind, namespace = "", name = ""] = parts;
    if (system !== "system" || kind !== "serviceaccount") {
      throw refused("lookup failed: username returned is not a service account");
    }
    return { namespace, name, uid: textOf(user?.uid) };
  }

  async #account(
    config: KubernetesConfig,
    namespace: string,
    name: string,
  ): Promise<ServiceAccount> {
    const failed = "annotation lookup failed: ";
    if (name === "") throw refused(`${failed}resource name may not be empty`);
    if (namespace === "") {
      throw refused(`${failed}an empty namespace may not be set when a resource name is provided`);
    }
    const invalid = nameProblem(name);
    if (invalid !== null) {
      throw refused(`${failed}invalid resource name ${JSON.stringify(name)}: [${invalid}]`);
    }
    const place = `namespaces/${encodeURIComponent(namespace)}`;
    return await this.#ask<ServiceAccount>(config, {
      path: `/api/v1/${place}/serviceaccounts/${encodeURIComponent(name)}`,
      what: `get serviceaccounts ${name}`,
      prefix: failed,
    });
  }

  async #ask<Body>(
    { Host: host, CACert: ca, ServiceAccountJWT: token }: KubernetesConfig,
    { path, body, what, prefix = "" }: ApiQuestion,
  ): Promise<Body> {
    const base = (host.includes("://") ? host : `https://${host}`).replace(/\/+$/, "");
    const isPost = body !== undefined;
    try {
      const answer = await ask(this.#outside, {
        method: isPost ? "POST" : "GET",
        url: base + path,
        ca,
        headers: {
          authorization: `Bearer ${token.trim()}`,
          ...(isPost && { "content-type": "application/json" }),
        },
        ...(isPost && { body }),
      });
      return bodyOf(answer, what) as Body;
    } catch (failure) {
      if (failure instanceof OutsideFault) throw refused(prefix + failure.message);
      throw failure;
    }
  }
}

/** Throws {@link OutsideFault} for what is no answer to the question. */
function bodyOf({ status, body }: OutsideAnswer, what: string): unknown {
  const said = parsed(body);
  const value = "value" in said && typeof said.value === "object" ? said.value : null;
  if (status >= 200 && status < 300) {
    if (value !== null) return value;
    const problem = "problem" in said ? said.problem : "no object";
    throw new OutsideFault(`couldn't get version/kind; json parse error: ${problem}`);
  }
  const { kind, message } = (value ?? {}) as Record<string, unknown>;
  if (kind === "Status" && typeof message === "string") throw new OutsideFault(message);
  if (status === 404) {
    throw new OutsideFault(`the server could not find the requested resource (${what})`);
  }
  const shown = JSON.stringify(body.trim().slice(0, shownMax));
  throw new OutsideFault(
    `an error on the server (${shown}) has prevented the request from succeeding (${what})`,
  );
}

function parsed(body: string): { value: unknown } | { problem: string } {
  try {
    parseRawJson(body);
    return { value: JSON.parse(body) };
  } catch (failure) {
    if (failure instanceof DecodeError || failure instanceof SyntaxError) {
      return { problem: failure.message };
    }
    throw failure;
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function nameProblem(name: string): string | null {
  if (name === "." || name === "..") return `may not be '${name}'`;
  const forbidden = ["/", "%"].filter((each) => name.includes(each));
  const problems = forbidden.map((each) => `may not contain '${each}'`);
  return problems.length === 0 ? null : problems.join(" ");
}

function jwsProblem(token: string): string | null {
  try {
    parseJws(token);
    return null;
  } catch (failure) {
    if (failure instanceof JwsFault) return failure.message;
    throw failure;
  }
}

function refused(message: string): ServiceError {
  return new ServiceError("invalid", message);
}
