// What the web UI may cost: bytes, time, memory, requests. Machines of CI are slow: times may be twice as long there.

import { gzipSync } from "node:zlib";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { bundleUi } from "../../../src/agent/ui/bundle.ts";
import { eventually } from "../../support/eventually.ts";
import { hasBrowser, launch, visit } from "../support/browser.ts";
import { datacenter, manyServices } from "../support/data.ts";
import { Site } from "../support/site.ts";

const slow = 2;
const kB = 1_000;

test("bytes of the first page, and of a language", async () => {
  const files = await bundleUi(new URL("../../../src/ui/", import.meta.url));
  const packed = [...files].map(([name, contents]) => ({ name, bytes: gzipSync(contents).length }));
  // A language and what it shares with others are parts; one of two languages is loaded.
  const first = packed.reduce((sum, { bytes }) => sum + bytes, 0);
  console.log(`first load: ${(first / kB).toFixed(1)} kB with both languages`);
  expect(first).toBeLessThan(90 * kB);
  for (const { name, bytes } of packed) {
    if (name.startsWith("assets/part-")) expect(bytes, name).toBeLessThan(10 * kB);
  }
});

describe.runIf(hasBrowser)("ten thousand services", () => {
  const services = manyServices(10_000);
  let browser: Browser;
  let site: Site;
  beforeAll(async () => {
    [browser, site] = await Promise.all([launch(), Site.start(datacenter(services))]);
  });
  afterAll(async () => {
    await Promise.all([browser.close(), site.stop()]);
  });

  async function open(): Promise<{ page: Page; close(): Promise<void> }> {
    const { page, check, context } = await visit(browser, `${site.url}/ui/dc1/services`);
    await page.getByRole("link", { name: "service-00007" }).waitFor();
    return {
      page,
      close: async () => {
        await check();
        await context.close();
      },
    };
  }

  test("few of them are in the page, wherever it is scrolled", async () => {
    const { page, close } = await open();
    const rows = page.locator("tbody tr:not(.gap)");
    for (const part of [0, 0.5, 1]) {
      await page.locator(".scroller").evaluate((element, at) => {
        element.scrollTop = element.scrollHeight * at;
      }, part);
      const wanted = part === 1 ? "service-09999" : part === 0 ? "service-00007" : /service-0[45]/;
      await page.getByRole("link", { name: wanted }).first().waitFor();
      expect(await rows.count()).toBeLessThanOrEqual(150);
    }
    expect(await page.locator("table").getAttribute("aria-rowcount")).toBe("10001");
    await close();
  });

  test("a filter answers at once", async () => {
    const { page, close } = await open();
    const took = await page.evaluate(async () => {
      const input = document.querySelector<HTMLInputElement>("input[type=search]");
      const times: number[] = [];
      for (const text of ["s", "se", "service-0999", "tag:v1 team:7", "/9{3}$/", ""]) {
        const from = performance.now();
        if (input) input.value = text;
        input?.dispatchEvent(new Event("input", { bubbles: true }));
        // The row is there when a task that was queued behind it runs.
        await new Promise<void>((done) => {
          setTimeout(done);
        });
        times.push(performance.now() - from);
      }
      return times;
    });
    console.log(`filters: ${took.map((ms) => ms.toFixed(0)).join(", ")} ms`);
    expect(Math.min(...took)).toBeGreaterThan(0);
    expect(Math.max(...took)).toBeLessThan(50 * slow);
    await close();
  });

  test("changes and scrolling leave no task that one would feel", async () => {
    const { page, close } = await open();
    await page.evaluate(() => {
      const long: number[] = [];
      Object.assign(globalThis, { long });
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) long.push(duration);
      }).observe({ type: "longtask" });
    });
    for (let round = 0; round < 12; round++) {
      const from = round * 50;
      site.change(
        datacenter(
          services.map((given, at) =>
            at >= from && at < from + 50 ? { ...given, statuses: ["critical", "passing"] } : given,
          ),
        ),
      );
      await page.locator(".scroller").evaluate((element, at) => {
        element.scrollTop = at * 400;
      }, round);
      await page.waitForTimeout(250);
    }
    await page.locator(".verdict a.is-degraded").waitFor();
    const long = await page.evaluate(() => (globalThis as unknown as { long: number[] }).long);
    console.log(`tasks over 50 ms: ${long.map((ms) => ms.toFixed(0)).join(", ") || "none"}`);
    expect(Math.max(0, ...long)).toBeLessThan(50 * slow);
    await close();
  });

  test("memory after it is loaded", async () => {
    const { page, close } = await open();
    const session = await page.context().newCDPSession(page);
    await session.send("HeapProfiler.collectGarbage");
    const { usedSize } = await session.send("Runtime.getHeapUsage");
    console.log(`heap: ${(usedSize / 1e6).toFixed(1)} MB`);
    expect(usedSize).toBeLessThan(60e6);
    await close();
  });

  test("a tab that nobody touches asks for nothing while nothing changes", async () => {
    const { page, close } = await open();
    await eventually(
      async () => {
        const { length } = site.asked;
        await page.waitForTimeout(2_000);
        return site.asked.length === length;
      },
      { what: "two seconds without a request", limitMs: 20_000 },
    );
    await close();
  });
});
