// The web UI at a deployment: its page is for everybody, touches no object, and is there only with its files.

import { env } from "cloudflare:workers";
import { expect, test } from "vitest";

import type { Env } from "../../durable/platform/cloudflare/env.ts";
import main from "../../src/index.ts";

const asked: string[] = [];
const ASSETS = {
  fetch: (url: URL) => {
    asked.push(url.pathname);
    return Promise.resolve(new Response("<!doctype html>"));
  },
} as unknown as Fetcher;

async function ask(path: string, settings: Partial<Env>, method = "GET"): Promise<Response> {
  const request = new Request(`https://registry.example${path}`, { method });
  const { SERVER: _server, ...closed } = { ...env, ANONYMOUS: false, DEPLOY_SECRET: "s" };
  return await main.fetch(request, { ...closed, ...settings } as Env);
}

test("the page is shown to who has no token, and the API is not", async () => {
  for (const path of ["/ui/", "/ui/dc1/services/web"]) {
    const page = await ask(path, { ASSETS });
    expect([page.status, await page.text()]).toEqual([200, "<!doctype html>"]);
    expect(page.headers.get("Content-Security-Policy")).toContain("frame-ancestors 'none'");
    expect(page.headers.get("Cache-Control")).toBe("no-cache");
  }
  expect(asked).toEqual(["/ui/", "/ui/"]);
  expect((await ask("/v1/kv/a", { ASSETS })).status).toBe(403);
});

test.each(["/", "/ui"])("%s leads to it", async (path) => {
  const { status, headers } = await ask(path, { ASSETS });
  expect([status, headers.get("Location")]).toEqual([301, "/ui/"]);
});

test("an asset that is not there is no page", async () => {
  const absent = await ask("/ui/assets/main-OLD.js", { ASSETS });
  expect([absent.status, absent.headers.get("Content-Type")]).toEqual([
    404,
    "text/plain; charset=utf-8",
  ]);
});

test("HEAD has no body, and writes reach what is closed", async () => {
  const head = await ask("/ui/", { ASSETS }, "HEAD");
  expect([head.status, await head.text()]).toEqual([200, ""]);
  expect((await ask("/ui/", { ASSETS }, "PUT")).status).toBe(403);
});

test("without its files there is none; an agent's own Worker says where it is", async () => {
  expect((await ask("/ui/", {})).status).toBe(403);
  const HOST = { servers: [], edge: true } as unknown as NonNullable<Env["HOST"]>;
  const hosted = await ask("/ui/", { HOST });
  expect([hosted.status, await hosted.text()]).toEqual([
    404,
    "The web UI is at the agent, on its HTTP port: /ui/\n",
  ]);
});
