// Requests with the answers that Consul gave to them, asked again of ours. What is random in an answer is masked on
// both sides alike.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { ApiClient } from "./api-client.ts";

interface Recorded {
  method: string;
  path: string;
  body?: string;
  /** Null: none is shown; absent: that of the administrator. */
  token?: string | null;
  /** Members of the answer that later requests name as `{{key}}`. */
  save?: Record<string, string>;
  status: number;
  type: string;
  answer: string;
}

export interface Comparison {
  /** `METHOD path body [token]`, before anything is filled in. */
  request: string;
  consul: string;
  ours: string;
}

export function readFixture<Content>(name: string): Content {
  const file = join(import.meta.dirname, "../fixtures", name);
  return JSON.parse(readFileSync(file, "utf8")) as Content;
}

/** Asks everything in order; gives back what both said. */
export async function replay(
  client: ApiClient,
  fixture: string,
  administrator: string,
): Promise<Comparison[]> {
  const saved = new Map<string, string>();
  const filled = (text: string): string =>
    text.replace(/\{\{(\w+)\}\}/g, (whole, name: string) => saved.get(name) ?? whole);
  const compared: Comparison[] = [];
  for (const recorded of readFixture<Recorded[]>(fixture)) {
    const { method, path, body, token, save = {} } = recorded;
    const shown = token === undefined ? administrator : token;
    const answer = await client.send(method, filled(path), {
      ...(body !== undefined && { body: filled(body) }),
      ...(shown !== null && { headers: { "X-Consul-Token": filled(shown) } }),
    });
    for (const [name, member] of Object.entries(save)) {
      const of = Array.isArray(answer.json) ? (answer.json as unknown[])[0] : answer.json;
      saved.set(name, String((of as Record<string, unknown> | undefined)?.[member]));
    }
    compared.push({
      request: [method, path, body, token === undefined ? "" : `[${token}]`].join(" ").trim(),
      consul: `${recorded.status} ${recorded.type} ${recorded.answer}`,
      ours: `${answer.status} ${answer.headers.get("content-type") ?? ""} ${masked(answer.text)}`,
    });
  }
  return compared;
}

function masked(text: string): string {
  return text
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "<id>")
    .replace(/"(CreateTime|ExpirationTime)":"20[^"]*"/g, '"$1":"<time>"')
    .replace(/"(CreateIndex|ModifyIndex)":\d+/g, '"$1":0')
    .replace(/reset index: \d+/, "reset index: 0")
    .replace(/"Hash":"[^"]*"/g, '"Hash":"<hash>"');
}
