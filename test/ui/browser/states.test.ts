// Every page in every state it can be in, in both languages and both themes, at every width: nothing for which it would
// be inaccessible, nothing outside of the window, nothing that the security policy refuses.

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { axe, hasBrowser, launch, layoutProblems, visit } from "../support/browser.ts";
import { datacenter, fewServices, manyServices } from "../support/data.ts";
import { Site } from "../support/site.ts";
import type { Answers } from "../support/site.ts";

const few = datacenter(fewServices);
/** About services as `answer` has it; the rest as ever. */
const about =
  (answer: Answers): Answers =>
  (path, query) =>
    /^(?:internal\/ui|health\/service\/web|health\/connect|kv\/)/.test(path)
      ? answer(path, query)
      : few(path, query);

const states: Record<string, { answers: Answers; shows: string }> = {
  ready: { answers: few, shows: "h1" },
  loading: { answers: about(() => "silent"), shows: ".skeleton" },
  empty: { answers: about(() => ({ body: [] })), shows: ".notice" },
  denied: {
    answers: about(() => ({ status: 403, body: "Permission denied" })),
    shows: ".notice[role=alert]",
  },
  failed: {
    answers: about(() => ({ status: 500, body: "rpc error: No cluster leader" })),
    shows: ".notice[role=alert] .command",
  },
  many: { answers: datacenter([...manyServices(10_000), ...fewServices]), shows: "h1" },
};

const lists: [string, string[]][] = [
  ["dc1/services", ["ready", "loading", "empty", "denied", "failed", "many"]],
  ["dc1/services/web", ["ready", "loading", "empty", "denied", "failed"]],
  ["dc1/services/web/instances/node-8/web-8", ["ready"]],
  ["dc1/services/web/instances/node-99/web-99", ["ready"]],
  ["dc1/services/web/tags", ["ready"]],
  ["dc1/services?filter=nothing%20tag:v9%20/(/", ["ready"]],
  ["dc1/kv/", ["ready", "loading", "empty", "denied", "failed"]],
  ["dc1/kv/app/web.json/edit", ["ready", "denied", "failed"]],
  ["dc1/kv/app/gone/edit", ["ready"]],
  ["dc1/kv/app/bytes/edit", ["ready"]],
  ["dc1/kv/app/create", ["ready"]],
  ["dc1/nodes", ["ready"]],
  ["dc1/nonsense", ["ready"]],
  ["settings", ["ready"]],
];

describe.runIf(hasBrowser)("pages", () => {
  let browser: Browser;
  let site: Site;
  beforeAll(async () => {
    [browser, site] = await Promise.all([launch(), Site.start(few)]);
  });
  afterAll(async () => {
    await Promise.all([browser.close(), site.stop()]);
  });

  const cases = lists.flatMap(([path, wanted]) => wanted.map((state) => ({ path, state })));
  test.each(cases)("$path, $state", async ({ path, state }) => {
    const { answers, shows } = states[state] ?? { answers: few, shows: "h1" };
    site.answers = answers;
    const problems: string[] = [];
    for (const language of ["en", "zh"]) {
      const { page, context, check } = await visit(browser, `${site.url}/ui/${path}`, {
        prefs: { language },
      });
      await page
        .locator(path.includes("node-99") ? ".panel" : shows)
        .first()
        .waitFor();
      expect(await page.locator("html").getAttribute("lang")).toBe(language);
      for (const theme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme: theme });
        // What does not depend on colours was looked at in light.
        const found = await axe(page, theme === "light" ? "all" : "contrast");
        problems.push(...found.map((problem) => `${language} ${theme} ${problem}`));
      }
      for (const width of language === "en" ? [1280, 900, 390, 320] : [1280, 390]) {
        await page.setViewportSize({ width, height: 800 });
        const found = await layoutProblems(page);
        problems.push(...found.map((problem) => `${language} ${width} ${problem}`));
      }
      await check();
      await context.close();
    }
    expect(problems).toEqual([]);
  });

  test("dialogs", async () => {
    site.answers = few;
    const { page, check, context } = await visit(browser, `${site.url}/ui/dc1/services`);
    await page.locator("td a").first().waitFor();
    for (const [open, title] of [
      [() => page.keyboard.press("?"), "Keys"],
      [() => page.keyboard.press("c"), "What this page asks"],
      [() => page.getByRole("button", { name: "No token" }).click(), "Sign in with a token"],
    ] as const) {
      await open();
      await page.getByRole("dialog", { name: title }).waitFor();
      expect(await axe(page)).toEqual([]);
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
    }
    await check();
    await context.close();
  });

  test("colours that the system forces leave glyphs and words", async () => {
    site.answers = few;
    const { page, check, context } = await visit(browser, `${site.url}/ui/dc1/services`, {
      forcedColors: "active",
    });
    const status = page.locator("td .status").first();
    await status.waitFor();
    expect(await status.textContent()).toBe("down");
    expect(await status.locator("svg").isVisible()).toBe(true);
    expect(await axe(page)).toEqual([]);
    await check();
    await context.close();
  });
});
