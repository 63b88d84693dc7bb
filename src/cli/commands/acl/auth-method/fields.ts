// What flags say of an auth method, and reading one.

import { type Api, pathEscape } from "../../../api.ts";
import { type Call, Failure, failing, messageOf } from "../../../command.ts";
import { formatDuration } from "../../../../core/model/duration.ts";
import { parseRawJson } from "../../../../core/model/raw-json.ts";
import { dataFrom } from "../../../data.ts";
import { durationFlag, type FlagTable, textFlag } from "../../../flags.ts";
import type { AuthMethod } from "../types.ts";

export const fieldFlags = {
  config: textFlag("The configuration as JSON: as it is, in the file behind an @, or - for stdin."),
  description: textFlag("What the auth method is for."),
  "display-name": textFlag("Name to show to people."),
  "kubernetes-ca-cert": textFlag(
    "Certificate of the Kubernetes API in PEM, or @ and its file. Required for type kubernetes.",
  ),
  "kubernetes-host": textFlag("Address of the Kubernetes API. Required for type kubernetes."),
  "kubernetes-service-account-jwt": textFlag(
    "Token of a service account that may review others. Required for type kubernetes.",
  ),
  "max-token-ttl": durationFlag("How long tokens of a login are valid."),
  "token-locality": textFlag(
    'Where tokens of a login are valid: "local", the default, or "global".',
  ),
} satisfies FlagTable;

type FieldCall = Call<typeof fieldFlags>;

/** What flags give, without what they leave out. Throws Failure. */
export function plainFields({ flags: given }: FieldCall): Partial<AuthMethod> {
  return {
    ...(given["display-name"] !== "" && { DisplayName: given["display-name"] }),
    ...(given.description !== "" && { Description: given.description }),
    ...(given["max-token-ttl"] > 0 && { MaxTokenTTL: formatDuration(given["max-token-ttl"]) }),
    ...(given["token-locality"] !== "" && { TokenLocality: given["token-locality"] }),
  };
}

/** Null when -config does not say. Throws Failure. */
export async function configFrom(call: FieldCall): Promise<Record<string, unknown> | null> {
  const { config } = call.flags;
  if (config === "") return null;
  if (kubernetesFlags.some((name) => call.flags[name] !== "")) {
    throw new Failure("Cannot use command line arguments with '-config' flags");
  }
  const data = await dataFrom(config, call.around).catch(
    failing("Error loading configuration file"),
  );
  try {
    parseRawJson(data.toString());
  } catch (failure) {
    throw new Failure(`Error parsing JSON configuration file: ${messageOf(failure)}`);
  }
  return JSON.parse(data.toString()) as Record<string, unknown>;
}

const kubernetesFlags = [
  "kubernetes-host",
  "kubernetes-ca-cert",
  "kubernetes-service-account-jwt",
] as const;

/** Of the flags for Kubernetes, those that are given. */
export async function kubernetesConfig(call: FieldCall): Promise<Record<string, string>> {
  const { flags: given } = call;
  const certificate = await dataFrom(given["kubernetes-ca-cert"], call.around).catch(
    failing("Error!"),
  );
  const values = {
    Host: given["kubernetes-host"],
    CACert: certificate.toString(),
    ServiceAccountJWT: given["kubernetes-service-account-jwt"],
  };
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));
}

/** Throws Failure when there is none. */
export async function readMethod(api: Api, name: string): Promise<AuthMethod> {
  const answer = await api
    .find(methodPath(name))
    .catch(failing(`Error reading auth method "${name}"`));
  if (answer) return answer.json<AuthMethod>();
  throw new Failure(`Auth method not found with name "${name}"`);
}

export function methodPath(name: string): string {
  return `/v1/acl/auth-method/${pathEscape(name)}`;
}
