// Keys as two people edit them at the same time: nobody overwrites what he has not seen, and nothing typed is lost.

import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { eventually } from "../../support/eventually.ts";
import { Proconsul, stopAll } from "../../support/proconsul.ts";
import { hasBrowser, launch, visit } from "../support/browser.ts";

describe.runIf(hasBrowser)("keys", () => {
  let agent: Proconsul;
  let browser: Browser;
  beforeAll(async () => {
    [agent, browser] = await Promise.all([Proconsul.start({ args: ["-dev"] }), launch()]);
  });
  afterAll(async () => {
    await browser.close();
    await stopAll();
  });

  const put = async (key: string, value: string, query = ""): Promise<void> => {
    expect((await agent.put(`/v1/kv/${key}${query}`, value)).text.trim()).toBe("true");
  };
  const row = async (key: string): Promise<{ Value: string; Flags: number; ModifyIndex: number }> =>
    (await agent.get(`/v1/kv/${key}`)).json<never[]>()[0] as never;
  const value = async (key: string): Promise<string> => (await agent.get(`/v1/kv/${key}?raw`)).text;
  const area = (page: Page) => page.getByRole("textbox", { name: "Value" });
  async function open(path: string) {
    return await visit(browser, `${agent.url}/ui/dc1/kv/${path}`, { acceptDownloads: true });
  }

  test("5: a key is changed by three acts, with its flags, over what was seen only", async () => {
    await put("app/web.json", "workers: 4\ndebug: no\n", "?flags=42");
    const { page, check, context } = await open("app/");
    await page.getByRole("link", { name: "web.json" }).click();
    await area(page).fill("workers: 8\ndebug: no\n");
    await page.keyboard.press("Control+s");
    await page.getByRole("heading", { name: "This is going to be written:" }).waitFor();
    expect(((await page.locator(".diff").textContent()) ?? "").split("\n").slice(0, 3)).toEqual([
      "− workers: 4",
      "+ workers: 8",
      "  debug: no",
    ]);
    await page.keyboard.press("Enter");
    await page.getByText("Saved app/web.json").waitFor();
    expect(await value("app/web.json")).toBe("workers: 8\ndebug: no\n");
    expect((await row("app/web.json")).Flags).toBe(42);
    await area(page).fill("workers: 9\ndebug: no\n");
    await page.keyboard.press("Control+s");
    await page.keyboard.press("Enter");
    await eventually(async () => (await value("app/web.json")).startsWith("workers: 9"), {
      what: "it is saved again, over what was just written",
    });
    await check();
    await context.close();
  });

  test("a folder of dots is not taken for the one that a URL makes of it", async () => {
    const operation = { Verb: "set", Key: "dots/../kept", Value: btoa("1") };
    expect((await agent.put("/v1/txn", [{ KV: operation }])).status).toBe(200);
    const { page, check, context } = await open("dots/");
    await page.getByRole("link", { name: "../" }).click();
    await page.getByText("No URL can name a key with a segment of dots").waitFor();
    expect(await page.getByRole("button", { name: "Delete" }).count()).toBe(0);
    await check();
    await context.close();
  });

  /** Somebody types, and somebody else writes before he saves. */
  async function inConflict(key: string) {
    await put(key, "a\nb\nc\nd\n");
    const visited = await open(`${key}/edit`);
    const { page } = visited;
    await area(page).fill("A\nb\nc\nd\n");
    await put(key, "a\nb\nc\nD\n");
    await page.getByText(/Somebody else changed it: index \d+/).waitFor();
    expect(await area(page).inputValue()).toBe("A\nb\nc\nd\n");
    await page.keyboard.press("Control+s");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Changed in the meantime" }).waitFor();
    expect(await value(key)).toBe("a\nb\nc\nD\n");
    return visited;
  }

  test("a conflict: mine", async () => {
    const { page, check, context } = await inConflict("c/mine");
    await page.getByRole("button", { name: "Write mine" }).click();
    await page.getByText("Saved c/mine").waitFor();
    expect(await value("c/mine")).toBe("A\nb\nc\nd\n");
    await check();
    await context.close();
  });

  test("a conflict: theirs", async () => {
    const { page, check, context } = await inConflict("c/theirs");
    await page.getByRole("button", { name: "Take theirs" }).click();
    expect(await area(page).inputValue()).toBe("a\nb\nc\nD\n");
    expect(await value("c/theirs")).toBe("a\nb\nc\nD\n");
    await check();
    await context.close();
  });

  test("a conflict: merged, looked over, written", async () => {
    const { page, check, context } = await inConflict("c/merged");
    await page.getByRole("button", { name: "Merge", exact: true }).click();
    await page.getByText("Merged. Look it over and save.").waitFor();
    expect(await area(page).inputValue()).toBe("A\nb\nc\nD\n");
    await page.keyboard.press("Control+s");
    await page.keyboard.press("Enter");
    await page.getByText("Saved c/merged").waitFor();
    expect(await value("c/merged")).toBe("A\nb\nc\nD\n");
    await check();
    await context.close();
  });

  test("a draft outlives a reload, and a deletion by somebody else", async () => {
    await put("draft", "before");
    const { page, check, context } = await open("draft/edit");
    await area(page).fill("typed");
    await page.reload();
    await page.locator(".editor").getByText("Not saved").waitFor();
    expect(await area(page).inputValue()).toBe("typed");
    await page.keyboard.press("Escape");
    const listed = page.locator("tr", {
      has: page.getByRole("link", { name: "draft", exact: true }),
    });
    await listed.getByText("Not saved").waitFor();
    await listed.getByRole("link").click();
    await agent.get("/v1/kv/draft", { method: "DELETE" });
    await page.getByText("Somebody else deleted it.").waitFor();
    await page.getByRole("button", { name: "See" }).click();
    await page.getByRole("button", { name: "Write mine" }).click();
    await page.getByText("Created draft").waitFor();
    expect(await value("draft")).toBe("typed");
    await check();
    await context.close();
  });

  test("what a field for text would change is kept, or is not edited", async () => {
    await put("dos", "a\r\nb\r\n");
    const dos = await open("dos/edit");
    await dos.page.getByText("CRLF").waitFor();
    await area(dos.page).fill("a\nx\n");
    await dos.page.keyboard.press("Control+s");
    await dos.page.keyboard.press("Enter");
    await dos.page.getByText("Saved dos").waitFor();
    expect(await value("dos")).toBe("a\r\nx\r\n");
    await dos.check();
    await dos.context.close();
    await put("mixed", "a\r\nb\n");
    const mixed = await open("mixed/edit");
    await mixed.page.getByText("Its lines end in different ways").waitFor();
    const downloading = mixed.page.waitForEvent("download");
    await mixed.page.getByRole("button", { name: "Download" }).click();
    const path = await (await downloading).path();
    expect(readFileSync(path, "utf8")).toBe("a\r\nb\n");
    await mixed.check();
    await mixed.context.close();
  });

  test("a new key overwrites none", async () => {
    await put("new/there", "x");
    const { page, check, context } = await open("new/");
    await page.getByRole("link", { name: "there" }).waitFor();
    await page.keyboard.press("n");
    const name = page.getByRole("textbox", { name: /^Name/ });
    await name.fill("there");
    await page.getByRole("button", { name: "Create" }).click();
    await page.getByText("There is a key of this name already").waitFor();
    expect(await value("new/there")).toBe("x");
    await name.fill("sub/made");
    await area(page).fill("hello");
    await page.getByRole("button", { name: "Create" }).click();
    await page.getByText("Created new/sub/made").waitFor();
    expect(await value("new/sub/made")).toBe("hello");
    await check();
    await context.close();
  });

  test("a key is deleted as it was seen, and is back by one click", async () => {
    await put("gone", "value", "?flags=7");
    const { page, check, context } = await open("gone/edit");
    await page.getByRole("button", { name: "Delete…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText("Deleted 1 key").waitFor();
    expect((await agent.get("/v1/kv/gone")).status).toBe(404);
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("It is as it was").waitFor();
    expect(await value("gone")).toBe("value");
    expect((await row("gone")).Flags).toBe(7);
    await check();
    await context.close();
  });

  test("a folder is deleted by who types its name, and is back by one click", async () => {
    for (const name of ["a", "b", "c/d"]) await put(`old/${name}`, name);
    const { page, check, context } = await open("old/");
    await page.getByRole("button", { name: "Delete this folder…" }).click();
    const dialog = page.getByRole("dialog", { name: "Delete 3 keys below old/" });
    await dialog.waitFor();
    const button = dialog.getByRole("button", { name: "Delete" });
    expect(await button.isDisabled()).toBe(true);
    await dialog.getByRole("textbox").fill("old/");
    await button.click();
    await page.getByText("There is no key here").waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByRole("link", { name: "c/" }).waitFor();
    expect(await value("old/c/d")).toBe("c/d");
    await check();
    await context.close();
  });
});
