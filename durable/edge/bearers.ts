// What a deployment's Worker does about each request beside answering it: who asks too much, or shows tokens that there
// are not, waits; nobody else notices.

import { unknownTokenText } from "../../src/core/model/errors.ts";
import { Budgets } from "./budgets.ts";
import { refused } from "./refused.ts";
import { Strangers } from "./strangers.ts";

const strangers = new Strangers();
const budgets = new Budgets();

export interface Bearer {
  /** Null: none was shown. */
  token: string | null;
  /** Address of whoever asks; "" where nobody knows it. */
  address: string;
  /** Datacenter that is asked: a token may be one of another. */
  dc: string;
  nowMs: number;
}

export interface Answering {
  /** Not asked where the answer is known, or too much is asked. */
  answer(): Response | Promise<Response>;
  /** Whether servers know the token: an object that is asked for may be unknown in the same words. */
  isKnown(token: string): Promise<boolean>;
}

export async function asBearer(
  request: Request,
  { token, address, dc, nowMs }: Bearer,
  { answer, isKnown }: Answering,
): Promise<Response> {
  if (token !== null) {
    const waitS = strangers.waits(address, nowMs);
    if (waitS !== null) return tooMany(waitS, "too many tokens that there are not");
    if (strangers.isUnknown(`${dc} ${token}`, nowMs)) return unknown();
  }
  const bearer = token ?? address;
  const waits = new URL(request.url).searchParams.has("index");
  const waitS = budgets.begin(bearer, waits, nowMs);
  if (waitS !== null) return tooMany(waitS, "too many requests at once");
  try {
    const response = await answer();
    if (token === null || response.status !== 403) return response;
    const text = await response.text();
    if (text === unknownTokenText && !(await isKnown(token)))
      strangers.failed(address, `${dc} ${token}`, nowMs);
    return new Response(text, response);
  } finally {
    if (waits) budgets.ended(bearer);
  }
}

function unknown(): Response {
  return refused(403, unknownTokenText, notStored);
}

function tooMany(waitS: number, what: string): Response {
  return refused(429, what, { ...notStored, "retry-after": String(waitS) });
}

const notStored = { "cache-control": "no-store" };
