// Replays requests whose answers were recorded from Consul 1.8.7, and compares answer by answer.

import { readFileSync } from "node:fs";
import { ApiClient } from "./api-client.ts";

/** `METHOD path`, body, status, answer; indexes are 0 and the cluster's id is {@link recordedClusterId}. */
export type RecordedStep = readonly [request: string, body: string, status: number, text: string];

export const recordedClusterId = "00000000-0000-4000-8000-000000000000";

/** Sequences of steps by title. */
export function recorded(name: string): [title: string, steps: RecordedStep[]][] {
  const text = readFileSync(`test/fixtures/consul-1.8.7/${name}.json`, "utf8");
  return Object.entries(JSON.parse(text) as Record<string, RecordedStep[]>);
}

/** A client of a cluster that has the recorded id. */
export async function recordedCluster(): Promise<ApiClient> {
  const client = new ApiClient();
  await client.cluster.write({ type: "cluster.identify", id: recordedClusterId }, {});
  return client;
}

/** The steps with the answers that are given here. */
export async function replay(
  client: ApiClient,
  steps: readonly RecordedStep[],
): Promise<RecordedStep[]> {
  const answered: RecordedStep[] = [];
  for (const [request, body] of steps) {
    const [method = "", path = ""] = request.split(" ");
    const options = body === "" ? {} : { body };
    const { status, text } = await client.send(method, path, options);
    const compared = text.replaceAll(/"(Create|Modify)Index":\d+/g, '"$1Index":0');
    answered.push([request, body, status, comparable(compared)]);
  }
  return answered;
}

/** Numbers as JavaScript writes them, as the recording has them. */
function comparable(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return text;
  }
}
