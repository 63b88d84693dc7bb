// What others may write into a catalog never runs, and a token goes nowhere but to the API.

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { hasBrowser, launch, visit } from "../support/browser.ts";
import { datacenter, fewServices, keyOf } from "../support/data.ts";
import type { Given } from "../support/data.ts";
import { Site } from "../support/site.ts";
import type { Answers } from "../support/site.ts";

const corpus = [
  "<script>globalThis.pwned=1</script>",
  '<img src=x onerror="globalThis.pwned=1">',
  "<svg onload=globalThis.pwned=1>",
  "javascript:globalThis.pwned=1",
  "\"><iframe srcdoc='<script>parent.pwned=1</script>'>",
  "{{constructor.constructor('globalThis.pwned=1')()}}",
  "${globalThis.pwned=1}",
  "</textarea><script>globalThis.pwned=1</script>",
  "<style>*{display:none}</style>",
  "\u202Egpj.exe",
  "a\u200B\u0000\u001B[31mb",
  "../../../v1/agent/leave",
  "?token=x#y",
  "x".repeat(3_000),
  "\"'`&<>",
];

const wicked: Given[] = corpus.map((text, at) => ({
  ...{ name: text, statuses: ["critical", "passing"], tags: [text, `t${at}`] },
  ...{ output: `${text}\n${text}`, meta: { [text]: text } },
}));

const secret = "6a1253d2-1785-24fd-91c2-f8e78c745511";

describe.runIf(hasBrowser)("security", () => {
  let browser: Browser;
  let site: Site;
  beforeAll(async () => {
    [browser, site] = await Promise.all([launch(), Site.start(datacenter(wicked))]);
  });
  afterAll(async () => {
    await Promise.all([browser.close(), site.stop()]);
  });

  test("script and markup in every field are text, in every view of them", async () => {
    const { page, check, context } = await visit(browser, `${site.url}/ui/dc1/services`);
    await page.locator("td.name a").first().waitFor();
    for (const [at, given] of wicked.entries()) {
      const name = encodeURIComponent(given.name);
      for (const path of [
        `${name}/instances/node-1/${encodeURIComponent(`${given.name}-1`)}`,
        `${name}/tags`,
      ]) {
        await page.goto(`${site.url}/ui/dc1/services/${path}`);
        await page.locator("h1").waitFor();
        await page
          .locator(path.endsWith("tags") ? "td.name a" : ".panel .reason")
          .first()
          .waitFor();
      }
      if (at === 0) expect(await page.locator("h1").textContent()).toBe(corpus[0]);
    }
    expect(await page.evaluate(() => "pwned" in globalThis)).toBe(false);
    await check();
    await context.close();
  });

  test("script and markup in keys and values are text, too", async () => {
    const names = corpus.filter((text) => !text.includes("/"));
    const answers = datacenter(wicked);
    site.change((path, query) => {
      if (!path.startsWith("kv/")) return answers(path, query);
      return query.has("keys") ? { body: names } : keyOf(decodeURIComponent(path.slice(3)));
    });
    const { page, check, context } = await visit(browser, `${site.url}/ui/dc1/kv/`);
    await page.locator("td.name a").first().waitFor();
    expect(await page.locator("td.name a").count()).toBe(names.length);
    for (const name of names) {
      await page.goto(`${site.url}/ui/dc1/kv/${encodeURIComponent(name)}/edit`);
      const there = page.locator(".editor textarea, .editor .is-hex").first();
      await there.waitFor();
      const isText = !name.includes("\u0000");
      if (isText) expect(await page.locator(".editor textarea").inputValue()).toBe(name);
    }
    await page.getByRole("button", { name: "Delete…" }).click();
    await page.getByRole("dialog").waitFor();
    expect(await page.evaluate(() => "pwned" in globalThis)).toBe(false);
    await check();
    await context.close();
  });

  test("names that lie are shown for what they are", async () => {
    const { page, check, context } = await visit(browser, `${site.url}/ui/dc1/services?filter=gpj`);
    const name = page.locator("td.name a").first();
    await name.waitFor();
    expect(await name.textContent()).toBe("⟨U+202E⟩gpj.exe");
    expect(await page.title()).not.toContain("\u202E");
    await check();
    await context.close();
  });

  test("a token is shown to the API and kept in the tab, and is nowhere else", async () => {
    const open = datacenter(fewServices);
    const closed: Answers = (path, query) => {
      if (path !== "acl/token/self") return open(path, query);
      return site.asked.at(-1)?.token === secret
        ? { body: { AccessorID: "a", Description: "the operator's" } }
        : { status: 403, body: "ACL not found" };
    };
    site.change(closed);
    const { page, check, context } = await visit(browser, `${site.url}/ui/dc1/services`);
    await page.getByRole("button", { name: "No token" }).click();
    await page.getByRole("textbox", { name: "Token" }).fill("wrong");
    await page.getByRole("button", { name: "Use it" }).click();
    await page.getByText("does not know this token").waitFor();
    await page.getByRole("textbox", { name: "Token" }).fill(secret);
    await page.getByRole("button", { name: "Use it" }).click();
    await page.getByText("Signed in as the operator's").waitFor();
    await page.getByRole("button", { name: "Token 6a1253d2…" }).waitFor();
    await page.getByRole("link", { name: "web", exact: true }).click();
    await page.getByRole("link", { name: "web-8" }).waitFor();
    expect(site.asked.filter(({ token }) => token === secret).length).toBeGreaterThan(3);
    expect(site.asked.filter(({ url }) => url.includes(secret))).toEqual([]);
    await page.keyboard.press("c");
    await page.getByRole("dialog").waitFor();
    expect(await page.getByRole("dialog").innerText()).toContain("$CONSUL_HTTP_TOKEN");
    const kept = await page.evaluate(() => ({
      local: JSON.stringify(Object.entries(localStorage)),
      session: sessionStorage.getItem("proconsul.token"),
      cookies: document.cookie,
      text: document.documentElement.outerHTML,
    }));
    expect(kept.session).toBe(secret);
    expect(kept.local + kept.cookies + kept.text + page.url()).not.toContain(secret);
    // A sibling has it, until one of them signs out.
    const sibling = await context.newPage();
    await sibling.goto(`${site.url}/ui/dc1/services`);
    await sibling.getByRole("button", { name: "Token 6a1253d2…" }).click();
    await sibling.getByRole("button", { name: "Sign out" }).click();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "No token" }).waitFor();
    await check();
    await context.close();
  });

  test.each([
    ["dc1/services?token=SECRET&filter=web", "/ui/dc1/services?filter=web"],
    ["?token=SECRET", "/ui/dc1/services"],
    ["#/dc1/services/web?token=SECRET", "/ui/dc1/services/web"],
    ["dc1/services#token=SECRET", "/ui/dc1/services"],
    ["#//evil.example/x", "/ui/dc1/services"],
    ["#/dc1/services/web", "/ui/dc1/services/web"],
  ])("the bookmark %s becomes %s", async (bookmark, address) => {
    site.change(datacenter(fewServices));
    const { page, check, context } = await visit(browser, `${site.url}/ui/${bookmark}`);
    await page.locator("td a").first().waitFor();
    expect(page.url().slice(site.url.length)).toBe(address);
    expect(site.asked.filter(({ url }) => url.includes("SECRET"))).toEqual([]);
    await check();
    await context.close();
  });
});
