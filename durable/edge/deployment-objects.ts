// The objects of a deployment, asked one by one.

import type { DeploymentObjects, ObjectWork } from "../../src/ports/deployment-objects.ts";
import { ServiceError } from "../../src/core/model/errors.ts";
import { fewAtOnce } from "../platform/few-at-once.ts";
import { jsonOf, type ObjectAddress, type Platform } from "../platform/platform.ts";
import type { Settings } from "../platform/settings.ts";
import {
  checkerObject,
  checkerRegions,
  edgeAgentCount,
  edgeAgentObject,
  lanPoolCount,
  lanPoolObject,
  serverCount,
  serverObject,
} from "../platform/topology.ts";
import { type ObjectReport, resetPath, usagePath } from "../platform/usage.ts";

const timeoutMs = 5_000;

type Access = Pick<Platform, "objects" | "log"> & { settings: Settings };

export class StubDeploymentObjects implements DeploymentObjects {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  async reset(name: string): Promise<void> {
    const { objects, settings } = this.#access;
    const object = allObjects(settings).find((each) => each.name === name);
    if (!object) throw new ServiceError("not-found", `There is no object ${JSON.stringify(name)}`);
    try {
      await objects.call(object, resetPath, "", timeoutMs);
    } catch {
      // An instance that ends answers nobody.
    }
  }

  async work(month: string): Promise<ObjectWork[]> {
    const all = allObjects(this.#access.settings);
    const work = await fewAtOnce(all, (object) => this.#ask(object, month));
    return work.filter((each) => each !== null).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  async #ask(object: ObjectAddress, month: string): Promise<ObjectWork | null> {
    const { objects, log } = this.#access;
    try {
      const answer = await objects.call(object, usagePath, "", timeoutMs);
      const { startedMs, months } = jsonOf<ObjectReport>(answer);
      const { month: _month, ...work } = months.find((each) => each.month === month) ?? idle;
      return { ...object, startedMs, ...work };
    } catch (failure) {
      log("warn", `${object.name} does not say what it has done: ${String(failure)}`);
      return null;
    }
  }
}

const idle = {
  ...{ month: "", requests: 0, workerRequests: 0, messages: 0, busyMs: 0, rowsWritten: 0 },
};

function allObjects(settings: Settings): ObjectAddress[] {
  const each = <Value>(count: number, make: (n: number) => Value): Value[] =>
    Array.from({ length: count }, (_, n) => make(n));
  return Object.keys(settings.DATACENTERS).flatMap((dc) => [
    ...each(serverCount(settings, dc), (n) => serverObject(dc, n)),
    ...each(lanPoolCount(settings, dc), (n) => lanPoolObject(dc, n)),
    ...each(edgeAgentCount(settings, dc), (n) => edgeAgentObject(dc, n)),
    ...each(edgeAgentCount(settings, dc), (n) =>
      checkerRegions(settings, dc).map((region) => checkerObject(dc, n, region)),
    ).flat(),
  ]);
}
