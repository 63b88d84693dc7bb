// Answers that the agent's listener keeps: the same request gets the same bytes until its view changes.

import type { IncomingMessage, ServerResponse } from "node:http";
import { expect, test } from "vitest";

import { HttpAnswers } from "../../src/agent/http/answers.ts";
import { limits } from "../../src/core/model/limits.ts";
import type { Reply } from "../../src/api/reply.ts";

const path = "/v1/health/service/web?cached";

function reply(isCurrent: () => boolean, body = "[1]"): Reply {
  return { status: 200, headers: { "X-Cache": "HIT" }, body, isJson: true, isCurrent };
}

/** What a request gets; null when it is left to the API. */
function ask(
  answers: HttpAnswers,
  { method = "GET", url = path, headers = {} }: Partial<IncomingMessage> = {},
): unknown {
  const sent: unknown[] = [];
  const response = {
    writeHead: (status: number, head: object) => void sent.push(status, head),
    end: (body: string) => void sent.push(body),
  } as unknown as ServerResponse;
  const taken = answers.send({ method, url, headers } as IncomingMessage, response);
  return taken ? sent : null;
}

test("an equal request is answered until the view changes", () => {
  const answers = new HttpAnswers();
  let current = true;
  answers.keep(
    new Request(`http://localhost:8500${path}`),
    reply(() => current),
  );
  expect(ask(answers)).toEqual([200, { "X-Cache": "HIT", "Content-Length": 3 }, "[1]"]);
  current = false;
  expect(ask(answers)).toBeNull();
  current = true;
  expect(ask(answers), "an answer that was dropped does not come back").toBeNull();
});

test("a request that differs in anything an answer may depend on is left to the API", () => {
  const answers = new HttpAnswers();
  answers.keep(
    new Request(`http://localhost:8500${path}`),
    reply(() => true),
  );
  expect(ask(answers, { url: `${path}&passing` })).toBeNull();
  expect(ask(answers, { method: "PUT" })).toBeNull();
  for (const name of ["x-consul-token", "authorization", "accept-encoding", "cache-control"]) {
    expect(ask(answers, { headers: { [name]: "x" } })).toBeNull();
  }
  expect(ask(answers, { headers: { "user-agent": "x" } })).not.toBeNull();
});

test("what does not say how long it is right is not kept", () => {
  const answers = new HttpAnswers();
  const { isCurrent: _, ...plain } = reply(() => true);
  answers.keep(new Request(`http://localhost:8500${path}`), plain);
  expect(ask(answers)).toBeNull();
});

test("answers together take bounded memory, and the oldest go first", () => {
  const answers = new HttpAnswers();
  const body = `[${"1".repeat(200_000)}]`;
  const url = (at: number): string => `/v1/health/service/web-${at}?cached`;
  for (let at = 0; at < 100; at += 1) {
    answers.keep(
      new Request(`http://localhost:8500${url(at)}`),
      reply(() => true, body),
    );
  }
  const kept = Array.from({ length: 100 }, (_, at) => ask(answers, { url: url(at) }) !== null);
  const count = kept.filter(Boolean).length;
  expect(count * body.length).toBeLessThanOrEqual(limits.httpAnswersBytesMax);
  expect(count).toBeGreaterThan(15);
  expect([kept[0], kept.at(-1)]).toEqual([false, true]);
});
