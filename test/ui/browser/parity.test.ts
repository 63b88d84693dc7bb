// The same web UI over the real Consul, which serves it as files of one's own, and whose API is what it was made for.
// Its ACLs deny, so that this is also where somebody signs in.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { bundleUi } from "../../../src/agent/ui/bundle.ts";
import { consulBinary, type RealConsul, startConsul, stopConsuls } from "../../support/consul.ts";
import { request, stopAll, temporaryDirectory } from "../../support/proconsul.ts";
import { axe, hasBrowser, launch, visit } from "../support/browser.ts";

const binary = consulBinary();
const master = "8c7b6a59-0000-4000-8000-000000000001";

describe.runIf(hasBrowser)("on the real Consul", () => {
  let consul: RealConsul | null = null;
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
    if (binary === null) return;
    const directory = temporaryDirectory();
    for (const [name, contents] of await bundleUi(new URL("../../../src/ui/", import.meta.url))) {
      mkdirSync(dirname(join(directory, name)), { recursive: true });
      writeFileSync(join(directory, name), contents);
    }
    consul = await startConsul(binary, "real", master, ["-ui-dir", directory]);
    const headers = { "X-Consul-Token": master };
    for (const [at, Status] of ["passing", "critical"].entries()) {
      const body = {
        ...{ Node: `node-${at}`, Address: `10.0.0.${at}` },
        Service: { ID: `web-${at}`, Service: "web", Port: 80, Tags: ["v1"] },
        Check: { Name: "HTTP", CheckID: `c-${at}`, ServiceID: `web-${at}`, Status, Output: "no" },
      };
      const url = `${consul.url}/v1/catalog/register`;
      const { status } = await request(url, { method: "PUT", body, headers });
      expect(status).toBe(200);
    }
  });
  afterAll(async () => {
    await browser.close();
    await stopConsuls();
    await stopAll();
  });

  test("who signs in sees checks counted, why one is critical, and changes as they come", async () => {
    // Said above, loudly.
    if (consul === null) return;
    const { page, check, context } = await visit(browser, `${consul.url}/ui/`);
    await page.getByRole("heading", { name: "No service is registered" }).waitFor();
    await page.getByRole("button", { name: "No token" }).click();
    await page.getByRole("textbox", { name: "Token" }).fill(master);
    await page.getByRole("button", { name: "Use it" }).click();
    await page.getByRole("columnheader", { name: "Checks" }).waitFor();
    await page.locator(".verdict").getByText("leader real").waitFor();
    expect(await page.locator(".verdict").innerText()).toContain("1 with critical checks");
    await page.getByRole("link", { name: "web", exact: true }).click();
    await page.getByRole("link", { name: "web-1" }).click();
    await page.getByText("HTTP on node-1 is critical: no.").waitFor();
    expect(await axe(page)).toEqual([]);
    const body = {
      Node: "node-1",
      Address: "10.0.0.1",
      Check: { Node: "node-1", CheckID: "c-1" },
    };
    Object.assign(body.Check, { Name: "HTTP", ServiceID: "web-1", Status: "passing" });
    const headers = { "X-Consul-Token": master };
    await request(`${consul.url}/v1/catalog/register`, { method: "PUT", body, headers });
    await page.locator(".panel").getByText("Served", { exact: true }).waitFor();
    await check();
    await context.close();
  });
});
