// Whose a token is, asked before anything else is asked with it.

import { createClient } from "../../client/index.ts";
import { apiRoot } from "./place.ts";

export type Found =
  | { kind: "known"; name: string }
  | { kind: "unknown" }
  /** ACLs are off. */
  | { kind: "open" }
  | { kind: "failed"; text: string };

const deadlineMs = 10_000;

export async function whoIs(secret: string): Promise<Found> {
  const client = createClient({ baseUrl: apiRoot, token: secret });
  try {
    const signal = AbortSignal.timeout(deadlineMs);
    const answer = await client.get("/v1/acl/token/self", { signal });
    if (answer.ok) {
      const { Description, AccessorID } = answer.body;
      return { kind: "known", name: Description === "" ? AccessorID : Description };
    }
    if (answer.status === 401 || /ACL support disabled/i.test(answer.text)) return { kind: "open" };
    if (answer.status === 403) return { kind: "unknown" };
    return { kind: "failed", text: answer.text.trim() };
  } catch (failure) {
    return { kind: "failed", text: (failure as Error).message };
  }
}
