// How an agent serves the web UI: paths, headers, and what a configuration makes of it.

import { mkdirSync, rmSync, writeFileSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { ConfigError } from "../../src/agent/config/errors.ts";
import { loadAgentConfig } from "../../src/agent/config/load.ts";
import type { UiConfig } from "../../src/agent/config/types.ts";
import { mountUi } from "../../src/agent/ui/mount.ts";
import { createApi } from "../../src/api/index.ts";
import type { Cluster } from "../../src/ports/cluster.ts";
import { headersFile, uiHeaders } from "../../src/ui-files.ts";

type Ask = (path: string, init?: RequestInit) => Promise<Response>;

function serving(ui: UiConfig): Ask {
  const api = createApi({
    ...{ cluster: {} as Cluster, nodeName: "n", uiPath: ui.contentPath },
    random: () => 0,
    uuid: () => "",
    onError: (failure) => {
      throw failure;
    },
  });
  mountUi(api, ui);
  return async (path, init) => await api.fetch(new Request(`http://agent${path}`, init));
}

const own: UiConfig = { directory: "", contentPath: "/ui/" };

describe("our own", () => {
  let ask: Ask;
  beforeAll(() => {
    ask = serving(own);
  });

  test.each(["/", "/ui"])("%s leads to it", async (path) => {
    const { status, headers } = await ask(path);
    expect([status, headers.get("Location")]).toEqual([301, "/ui/"]);
  });

  test("every path below it that is no asset is the page", async () => {
    const page = await (await ask("/ui/")).text();
    expect(page).toContain('<div id="app">');
    for (const path of ["/ui/dc1/services/web", "/ui/x.js", "/ui/index.html", "/ui/dc1/kv/a%2Fb"]) {
      const answer = await ask(path);
      expect([answer.status, await answer.text()]).toEqual([200, page]);
      expect(answer.headers.get("Cache-Control")).toBe("no-cache");
    }
  });

  test("its assets are there for ever, and others are absent", async () => {
    const page = await (await ask("/ui/")).text();
    const assets = [...page.matchAll(/"(\/ui\/assets\/[^"]+)"/g)].map(([, path]) => path ?? "");
    expect(assets.length).toBe(3);
    for (const path of assets) {
      const { status, headers } = await ask(path);
      expect([path, status]).toEqual([path, 200]);
      expect(headers.get("Cache-Control")).toBe("public, max-age=31536000, immutable");
      expect(headers.get("Content-Type")).toMatch(/^text\/(?:javascript|css); charset=utf-8$/);
    }
    const absent = await ask("/ui/assets/main-OLD.js");
    expect([absent.status, absent.headers.get("Content-Type")]).toEqual([
      404,
      "text/plain; charset=utf-8",
    ]);
    expect(await absent.text()).not.toContain("<");
  });

  test("whoever has the page is told so, and who can unpack gets it packed", async () => {
    const first = await ask("/ui/", { headers: { "Accept-Encoding": "gzip" } });
    expect(first.headers.get("Content-Encoding")).toBe("gzip");
    const etag = first.headers.get("ETag") ?? "";
    const again = await ask("/ui/", { headers: { "If-None-Match": etag } });
    expect([again.status, await again.text()]).toEqual([304, ""]);
  });

  test("HEAD has no body, and nothing else is allowed", async () => {
    const head = await ask("/ui/", { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect(Number(head.headers.get("Content-Length"))).toBeGreaterThan(100);
    const put = await ask("/ui/", { method: "PUT" });
    expect([put.status, put.headers.get("Allow")]).toEqual([405, "GET,HEAD"]);
  });

  test("robots are kept out", async () => {
    expect(await (await ask("/robots.txt")).text()).toBe("User-agent: *\nDisallow: /\n");
  });

  test("the API's paths stay the API's", async () => {
    expect((await ask("/v1/unknown")).status).toBe(404);
    expect((await ask("/uix/")).status).toBe(404);
  });
});

test("below another path, the page names its files there", async () => {
  const ask = serving({ directory: "", contentPath: "/consul/ui/" });
  expect((await ask("/")).headers.get("Location")).toBe("/consul/ui/");
  const page = await (await ask("/consul/ui/")).text();
  expect(page).not.toContain('"/ui/');
  const [, script = ""] = /src="([^"]+)"/.exec(page) ?? [];
  expect(script).toMatch(/^\/consul\/ui\/assets\/main-/);
  expect((await ask(script)).status).toBe(200);
  expect((await ask("/ui/")).status).toBe(404);
});

describe("a directory of one's own", () => {
  const directory = mkdtempSync(join(tmpdir(), "proconsul-ui-"));
  const ask = serving({ directory: join(directory, "files"), contentPath: "/ui/" });
  beforeAll(() => {
    mkdirSync(join(directory, "files"));
    writeFileSync(join(directory, "files", "index.html"), "<html>own</html>");
    writeFileSync(join(directory, "files", "a.txt"), "hi");
    writeFileSync(join(directory, "secret"), "no");
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  test("its files, and its page for everything else, as in Consul", async () => {
    expect(await (await ask("/ui/a.txt")).text()).toBe("hi");
    for (const path of ["/ui/", "/ui/zzz", "/ui/assets/none.js"]) {
      const answer = await ask(path);
      expect(await answer.text()).toBe("<html>own</html>");
      expect(answer.headers.get("Content-Type")).toBe("text/html; charset=utf-8");
    }
  });

  test("nothing beside it", async () => {
    for (const path of ["/ui/../secret", "/ui/%2e%2e/secret", "/ui/..%2fsecret", "/ui//secret"]) {
      expect(await (await ask(path)).text(), path).not.toBe("no");
    }
  });
});

describe("what a configuration makes of it", () => {
  const load = (...args: string[]): UiConfig | null =>
    loadAgentConfig(["-data-dir", mkdtempSync(join(tmpdir(), "proconsul-ui-")), ...args], {
      hostName: "h",
      addresses: [{ interface: "eth0", address: "10.1.2.3", family: "IPv4" }],
    }).ui;
  const open = ["-client", "10.1.2.3"];

  test.each<[string[], UiConfig | null]>([
    [["-dev"], own],
    [["-dev", "-ui=false"], null],
    // What only this machine reaches.
    [[], own],
    [["-ui=false"], null],
    [open, null],
    [[...open, "-ui"], own],
    [[...open, "-hcl", "ui_config { enabled = true }"], own],
    [["-dev", ...open, "-ui-content-path", "a/b"], { directory: "", contentPath: "/a/b/" }],
    [["-ui-dir", "/srv/ui"], { directory: "/srv/ui", contentPath: "/ui/" }],
    [["-dev", "-ui-dir", "/srv/ui"], { directory: "/srv/ui", contentPath: "/ui/" }],
    [["-http-port", "-1", "-ui=false"], null],
  ])("%j", (args, expected) => {
    expect(load(...args)).toEqual(expected);
  });

  test.each([
    [["-ui", "-ui-dir", "/srv/ui"], "Both the ui and ui-dir flags were specified"],
    [["-ui", "-ui-content-path", "/"], "ui-content-path cannot be"],
    [["-ui", "-ui-content-path", "aé"], "can only contain alphanumeric"],
  ])("%j is refused", (args, text) => {
    expect(() => load(...args)).toThrow(ConfigError);
    expect(() => load(...args)).toThrow(text);
  });
});

test("a host of static files says the same headers as an agent", () => {
  const [page = "", assets = ""] = headersFile().split(/\n(?=\/)/);
  const read = (block: string): Record<string, string> =>
    Object.fromEntries(
      block
        .trim()
        .split("\n")
        .slice(1)
        .map(
          (line) =>
            line
              .trim()
              .split(/: (.*)/s)
              .slice(0, 2) as [string, string],
        ),
    );
  for (const [block, file] of [
    [page, { kind: "page" }],
    [assets, { kind: "asset", file: "assets/a.js" }],
  ] as const) {
    const { "Content-Type": _type, ...headers } = uiHeaders(file);
    expect(read(block)).toEqual(headers);
  }
  expect(page.split("\n")[0]).toBe("/ui/");
  expect(assets.split("\n")[0]).toBe("/ui/assets/*");
});
