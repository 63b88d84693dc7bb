// A user event on its way from whoever fires it to the pool beside this server.

import { ServiceError } from "../../src/core/model/errors.ts";
import type { UserEvent } from "../../src/core/model/user-event.ts";
import { isSuccess, jsonOf, type Objects } from "../platform/platform.ts";
import { lanPoolObject } from "../platform/topology.ts";
import { firePath } from "../presence/pool-events.ts";

const fireTimeoutMs = 5_000;

/** Resolves when the pool has it, and is telling everybody. Rejects with ServiceError. */
export async function fireEvent(
  { objects, datacenter }: { objects: Objects; datacenter: string },
  event: UserEvent,
): Promise<void> {
  const answer = await objects.call(
    lanPoolObject(datacenter),
    firePath,
    JSON.stringify(event),
    fireTimeoutMs,
  );
  const { problem } = isSuccess(answer)
    ? jsonOf<{ problem?: string }>(answer)
    : { problem: "the pool refused it" };
  if (problem === undefined) return;
  const text = `error broadcasting event to segment "": ${problem}`;
  throw new ServiceError("invalid", `1 error occurred:\n\t* ${text}\n\n`);
}
