// What a deployer decides: the Worker's name, its datacenters and where their servers live. Kept in a file, so that
// deploying again is an upgrade.

import { isRecord } from "../core/lib/record.ts";

export interface Deployment {
  /** Of the Worker. */
  name: string;
  /** Host name of its own, of a zone of the account; "" for the one that Cloudflare gives. */
  domain: string;
  /** By name; the first is the one that a request without `?dc=` is about, and the primary. */
  datacenters: Record<string, DatacenterPlan>;
}

export interface DatacenterPlan {
  /** Where each server lives; as many as there are servers. */
  regions: Region[];
}

export const regionNames = {
  wnam: "western North America",
  enam: "eastern North America",
  sam: "South America",
  weur: "western Europe",
  eeur: "eastern Europe",
  apac: "Asia and the Pacific",
  oc: "Oceania",
  afr: "Africa",
  me: "the Middle East",
} as const;

export type Region = keyof typeof regionNames;

/** The deployer gave something that cannot be deployed. */
export class DeploymentError extends Error {
  override name = "DeploymentError";
}

export const defaultRegions: readonly Region[] = ["weur", "eeur", "enam"];

/** A name that workers.dev and its certificate can carry. Throws DeploymentError. */
export function workerName(given: string): string {
  if (/^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(given)) return given;
  throw new DeploymentError(
    `${JSON.stringify(given)} is no name of a Worker: it has at most 63 of a-z, 0-9 and "-", begins with a ` +
      `letter and does not end with "-"`,
  );
}

/** As Consul names datacenters. Throws DeploymentError. */
export function datacenterName(given: string): string {
  const name = given.toLowerCase();
  if (/^[a-z0-9_-]{1,63}$/.test(name)) return name;
  throw new DeploymentError(
    `${JSON.stringify(given)} is no name of a datacenter: it has at most 63 of a-z, 0-9, "-" and "_"`,
  );
}

export function domainName(given: string): string {
  const name = given.toLowerCase();
  const isDomain = /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/.test(
    name,
  );
  if (given === "" || isDomain) return name;
  throw new DeploymentError(`${JSON.stringify(given)} is no host name`);
}

/** `weur,eeur,enam`: one for each server. Throws DeploymentError. */
export function regionsOf(given: string): Region[] {
  const names = given.split(",").map((name) => name.trim().toLowerCase());
  const unknown = names.find((name) => !Object.hasOwn(regionNames, name));
  if (unknown !== undefined) {
    const known = Object.keys(regionNames).join(", ");
    throw new DeploymentError(`there is no region ${JSON.stringify(unknown)}; there are ${known}`);
  }
  if (![1, 3, 5].includes(names.length)) {
    throw new DeploymentError(
      `a datacenter has 1, 3 or 5 servers, each in a region that you name; ${names.length} are named`,
    );
  }
  return names as Region[];
}

/** `dc1=weur,eeur,enam`. Throws DeploymentError. */
export function datacenterOf(given: string): [name: string, plan: DatacenterPlan] {
  const [name = "", regions, ...more] = given.split("=");
  if (regions === undefined || more.length > 0) {
    throw new DeploymentError(
      `${JSON.stringify(given)} is no datacenter: write NAME=REGION,REGION,REGION`,
    );
  }
  return [datacenterName(name), { regions: regionsOf(regions) }];
}

/** What a deployer should know of a deployment before it is made. */
export function warningsOf({ datacenters }: Deployment): string[] {
  return Object.entries(datacenters).flatMap(([dc, { regions }]) => {
    const majority = Math.floor(regions.length / 2) + 1;
    if (regions.length === 1) return [`${dc} has one server: it is away whenever that is`];
    return [...new Set(regions)].flatMap((region) => {
      const left = regions.filter((each) => each !== region).length;
      return left < majority ? [`without ${regionNames[region]}, ${dc} cannot write`] : [];
    });
  });
}

/** Reads what {@link deploymentText} wrote. Throws DeploymentError. */
export function parseDeployment(text: string): Deployment {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (failure) {
    throw new DeploymentError(
      `what was kept of the last deployment is no JSON: ${String(failure)}`,
    );
  }
  const { name, domain = "", datacenters } = isRecord(given) ? given : {};
  if (typeof name !== "string" || typeof domain !== "string" || !isRecord(datacenters)) {
    throw new DeploymentError("what was kept of the last deployment lacks name or datacenters");
  }
  const plans = Object.entries(datacenters).map(([dc, plan]) => {
    const regions = isRecord(plan) && Array.isArray(plan["regions"]) ? plan["regions"] : [];
    return [datacenterName(dc), { regions: regionsOf(regions.join(",")) }] as const;
  });
  if (plans.length === 0) throw new DeploymentError("the last deployment has no datacenter");
  return {
    name: workerName(name),
    domain: domainName(domain),
    datacenters: Object.fromEntries(plans),
  };
}

export function deploymentText(deployment: Deployment): string {
  return `${JSON.stringify(deployment, null, 2)}\n`;
}
