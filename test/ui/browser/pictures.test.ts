// Pictures of the main pages, as docs/ui/ shows them: made by every run into build/ui/, and into docs/ui/ when
// UI_PICTURES=docs says so.

import { mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { hasBrowser, launch, visit } from "../support/browser.ts";
import { datacenter, fewServices } from "../support/data.ts";
import { Site } from "../support/site.ts";

const directory = process.env.UI_PICTURES === "docs" ? "docs/ui" : "build/ui";
const bytesMax = 160_000;
const wide = { width: 1280, height: 720 };
const phone = { width: 390, height: 720 };
const instance = "dc1/services/web/instances/node-8/web-8";

const key = "dc1/kv/app/web.json/edit";

const pictures = [
  { name: "services-light", path: "dc1/services", colorScheme: "light", viewport: wide },
  { name: "services-dark", path: "dc1/services", colorScheme: "dark", viewport: wide },
  { name: "why-light", path: instance, colorScheme: "light", viewport: wide },
  { name: "why-dark-zh", path: instance, colorScheme: "dark", viewport: wide },
  { name: "phone-light", path: "dc1/services", colorScheme: "light", viewport: phone },
  { name: "key-dark", path: key, colorScheme: "dark", viewport: wide },
] as const;

describe.runIf(hasBrowser)("pictures", () => {
  let browser: Browser;
  let site: Site;
  beforeAll(async () => {
    [browser, site] = await Promise.all([launch(), Site.start(datacenter(fewServices))]);
    mkdirSync(directory, { recursive: true });
  });
  afterAll(async () => {
    await Promise.all([browser.close(), site.stop()]);
  });

  test.each(pictures)("$name", async ({ name, path, colorScheme, viewport }) => {
    const prefs = { language: name.endsWith("zh") ? "zh" : "en" };
    const { page, check, context } = await visit(browser, `${site.url}/ui/${path}`, {
      ...{ colorScheme, viewport, prefs, locale: "en-GB" },
    });
    await page
      .locator(path === instance ? ".panel .reason" : path === key ? "textarea" : "td a")
      .first()
      .waitFor();
    await page.locator(".connection.is-live").waitFor();
    const file = join(directory, `${name}.png`);
    await page.screenshot({ path: file });
    expect(statSync(file).size).toBeLessThan(bytesMax);
    await check();
    await context.close();
  });
});

test("docs/ui has them all, and no others", () => {
  const names = pictures.map(({ name }) => `${name}.png`);
  expect(readdirSync("docs/ui").toSorted()).toEqual(names.toSorted());
});
