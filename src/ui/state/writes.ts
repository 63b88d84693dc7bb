// Requests that change something: one at a time, each with a deadline, and never twice by themselves.

import type { Write } from "../model/plan.ts";
import { apiRoot } from "./place.ts";
import { token } from "./token.ts";

export interface Written {
  isDone: boolean;
  /** 0: there was no answer, and nobody knows what became of it. */
  status: number;
  text: string;
}

const deadlineMs = 30_000;

export async function write({ method, path, body }: Write): Promise<Written> {
  return await ask(method, path, body);
}

/** Reads once what is not followed. Null where the API refuses. */
export async function readOnce<Value>(path: string): Promise<Value | null> {
  const { isDone, text } = await ask("GET", path);
  return isDone ? (JSON.parse(text) as Value) : null;
}

async function ask(method: string, path: string, body?: string): Promise<Written> {
  try {
    const response = await fetch(new URL(path, apiRoot), {
      method,
      headers: token.value === "" ? {} : { "X-Consul-Token": token.value },
      ...(body !== undefined && { body }),
      signal: AbortSignal.timeout(deadlineMs),
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
    });
    return { isDone: response.ok, status: response.status, text: await response.text() };
  } catch (failure) {
    return { isDone: false, status: 0, text: (failure as Error).message };
  }
}
