// Debian's Chromium, as people use it. Whatever breaks the page's security policy, or is thrown in it, fails the test
// that it happens in.

import { accessSync, constants, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { createRequire } from "node:module";

import { chromium } from "playwright-core";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { expect } from "vitest";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

function browserPath(): string | null {
  for (const directory of (process.env.PATH ?? "").split(delimiter)) {
    for (const name of names) {
      const path = join(directory, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // The next one may be there.
      }
    }
  }
  return null;
}

const executablePath = browserPath();

/** Whatever needs one is left out without it; test/ui/browser/browser.test.ts fails where that is not allowed. */
export const hasBrowser = executablePath !== null;

if (!hasBrowser) {
  console.warn(
    "\n!!! no Chromium on the PATH: the web UI is NOT TESTED (apt-get install chromium)\n",
  );
}

export async function launch(): Promise<Browser> {
  return await chromium.launch({
    executablePath: executablePath ?? "",
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
  });
}

export interface Visit {
  page: Page;
  context: BrowserContext;
  /** Throws when anything happened that must not. */
  check(): Promise<void>;
}

/** A browser of its own: nothing is kept of another visit. */
export async function visit(
  browser: Browser,
  url: string,
  options: BrowserContextOptions & { prefs?: Record<string, string> } = {},
): Promise<Visit> {
  const { prefs = {}, ...rest } = options;
  const context = await browser.newContext({
    ...{ viewport: { width: 1280, height: 800 }, locale: "en-GB", reducedMotion: "reduce" },
    ...rest,
  });
  const problems: string[] = [];
  const origin = new URL(url).origin;
  context.on("request", (request) => {
    const at = request.url();
    if (!at.startsWith(origin) && !at.startsWith("data:")) problems.push(`asked ${at}`);
  });
  await context.addInitScript((kept) => {
    const found: string[] = [];
    Object.assign(globalThis, { violations: found });
    document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
      found.push(`${violatedDirective} ${blockedURI}`);
    });
    for (const [name, value] of Object.entries(kept)) {
      localStorage.setItem(`proconsul.${name}`, value);
    }
  }, prefs);
  const page = await context.newPage();
  page.on("pageerror", (failure) => problems.push(`threw ${failure.message}`));
  page.on("dialog", (dialog) => {
    problems.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("console", (message) => {
    if (/Content Security Policy|Trusted ?Type/i.test(message.text()))
      problems.push(message.text());
  });
  await page.goto(url);
  const check = async (): Promise<void> => {
    const violations = await page.evaluate(
      () => (globalThis as unknown as { violations: string[] }).violations,
    );
    expect([...problems, ...violations]).toEqual([]);
  };
  return { page, context, check };
}

const axeSource = readFileSync(
  createRequire(import.meta.url).resolve("axe-core/axe.min.js"),
  "utf8",
);

interface AxeResult {
  violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
}

/** What is wrong for people who cannot see, hear or point, by WCAG 2.2 AA. */
export async function axe(page: Page, what: "all" | "contrast" = "all"): Promise<string[]> {
  await page.evaluate(axeSource);
  const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const runOnly = what === "all" ? rules : { type: "rule", values: ["color-contrast"] };
  const { violations } = await page.evaluate(
    async (options) => {
      const { axe: run } = globalThis as unknown as {
        axe: { run(root: Document, options: object): Promise<AxeResult> };
      };
      return await run.run(document, options);
    },
    { runOnly, resultTypes: ["violations"] },
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary}`),
  );
}

/** Facts of the layout that hold for every page at every width. */
export async function layoutProblems(page: Page): Promise<string[]> {
  return await page.evaluate(() => {
    const found: string[] = [];
    const { documentElement: root } = document;
    if (root.scrollWidth > root.clientWidth + 1)
      found.push(`the page scrolls sideways: ${root.scrollWidth}`);
    for (const element of document.querySelectorAll(
      "h1, h2, h3, button, a, label, dt, dd, .notice p",
    )) {
      const { left, right, width, height } = element.getBoundingClientRect();
      const isShown = width > 1 && height > 1 && !element.closest(".skip, .offscreen, thead");
      const isOut = left < -1 || right > root.clientWidth + 1;
      const isScrolled = element.closest(".scroller, .command, .verdict");
      if (isShown && isOut && !isScrolled) {
        found.push(`${element.outerHTML.slice(0, 100)} is outside: ${left} to ${right}`);
      }
    }
    return found;
  });
}
