// What people come for, by its clicks, in a real datacenter of a thousand services that goes on living meanwhile.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { agentPorts } from "../../support/free-ports.ts";
import { eventually } from "../../support/eventually.ts";
import { Proconsul, stopAll } from "../../support/proconsul.ts";
import { hasBrowser, launch, visit } from "../support/browser.ts";

const servicesCount = 1_000;
const refused = 'Get "http://10.0.0.3/": dial tcp 10.0.0.3:80: connect: connection refused';

/** As many as a node and its checks are registered with. */
async function seed(agent: Proconsul): Promise<void> {
  const register = async (name: string, at: number, status: string): Promise<void> => {
    const id = `${name}-${at}`;
    const { status: code, text } = await agent.put("/v1/catalog/register", {
      ...{ Node: `node-${at}`, Address: `10.0.0.${at}` },
      Service: { ID: id, Service: name, Port: 8080, Tags: ["v1"] },
      Check: {
        ...{ CheckID: `${id}-http`, Name: `HTTP on ${name}`, ServiceID: id, Status: status },
        Output: status === "passing" ? "200 OK" : refused,
      },
    });
    if (code !== 200) throw new Error(text);
  };
  const names = Array.from({ length: servicesCount - 2 }, (_, at) => `service-${at}`);
  const queue = names.map((name, at) => () => register(name, (at % 200) + 1, "passing"));
  queue.push(
    () => register("payments", 1, "passing"),
    () => register("payments", 2, "critical"),
  );
  queue.push(() => register("billing", 3, "critical"));
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      for (let next = queue.shift(); next; next = queue.shift()) await next();
    }),
  );
}

async function setCheck(agent: Proconsul, Status: string): Promise<void> {
  await agent.put("/v1/catalog/register", {
    ...{ Node: "node-2", Address: "10.0.0.2", SkipNodeUpdate: true },
    Check: {
      ...{ CheckID: "payments-2-http", Name: "HTTP on payments", ServiceID: "payments-2" },
      ...{ Node: "node-2", Status, Output: Status === "passing" ? "200 OK" : refused },
    },
  });
}

/** Counts what a person does: clicks, and sequences of keys. */
function counted(page: Page): {
  acts: number;
  click(what: string): Promise<void>;
  type(keys: string): Promise<void>;
} {
  const person = {
    acts: 0,
    click: async (what: string): Promise<void> => {
      person.acts += 1;
      await page.getByRole("link", { name: what, exact: true }).first().click();
    },
    type: async (keys: string): Promise<void> => {
      person.acts += 1;
      for (const key of keys.split(" ")) await page.keyboard.press(key);
    },
  };
  return person;
}

describe.runIf(hasBrowser)("the ten tasks, as far as they are built", () => {
  let agent: Proconsul;
  let browser: Browser;
  const args = ["-dev", "-servers", "3"];
  beforeAll(async () => {
    [agent, browser] = await Promise.all([
      Proconsul.start({ args, ports: await agentPorts() }),
      launch(),
    ]);
    await seed(agent);
  });
  afterAll(async () => {
    await browser.close();
    await stopAll();
  });

  test("1: is everything all right? At a glance", async () => {
    const { page, check, context } = await visit(browser, `${agent.url}/ui/`);
    const verdict = page.locator(".verdict");
    await verdict.getByText(/servers/).waitFor();
    const text = await verdict.innerText();
    expect(text.replaceAll(/\s+/g, " ")).toMatch(
      /1 down 1 degraded 1,000 serve leader \S+ 3\/3 servers/,
    );
    await eventually(async () => (await page.title()) === "1 down · Services · dc1", {
      what: "the title says it, too",
    });
    await check();
    await context.close();
  });

  test("2: a service is found by one click, or key, and a part of its name", async () => {
    const { page, check, context } = await visit(browser, `${agent.url}/ui/`);
    await page.getByRole("link", { name: "billing" }).waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("ice-777");
    await page.getByRole("link", { name: "service-777", exact: true }).waitFor();
    expect(await page.locator("tbody tr:not(.gap)").count()).toBe(1);
    expect(page.url()).toContain("filter=ice-777");
    await page.keyboard.press("Escape");
    await page.getByRole("link", { name: "billing" }).waitFor();
    await check();
    await context.close();
  });

  test("3: why a service is critical, by two clicks", async () => {
    const { page, check, context } = await visit(browser, `${agent.url}/ui/`);
    const person = counted(page);
    await person.click("payments");
    await person.click("payments-2");
    const reason = page.locator(".panel .reason");
    await reason.waitFor();
    expect(await reason.innerText()).toBe(
      "Check of the service HTTP on payments on node-2 is critical: connection refused. " +
        "Node checks pass. 1 of 1 others still serves.",
    );
    expect(await page.locator(".panel .lines").first().innerText()).toContain(refused);
    expect(person.acts).toBe(2);
    expect(new URL(page.url()).pathname).toBe(
      "/ui/dc1/services/payments/instances/node-2/payments-2",
    );
    await page.keyboard.press("Escape");
    await page.locator(".panel").waitFor({ state: "detached" });
    await check();
    await context.close();
  });

  test("4: an instance's address is copied by two acts", async () => {
    const { page, check, context } = await visit(browser, `${agent.url}/ui/dc1/services`, {
      permissions: ["clipboard-read", "clipboard-write"],
    });
    const person = counted(page);
    await person.click("payments");
    await page.getByRole("link", { name: "payments-2" }).waitFor();
    await person.type("j y");
    await page.getByText("Copied 10.0.0.2:8080").waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe("10.0.0.2:8080");
    expect(person.acts).toBe(2);
    await check();
    await context.close();
  });

  test("what changes is seen as it changes, and nothing moves under the pointer", async () => {
    const { page, check, context } = await visit(browser, `${agent.url}/ui/dc1/services/payments`);
    const first = page.locator("tbody tr:not(.gap)").first();
    await first.getByText("payments-2").waitFor();
    await first.hover();
    await setCheck(agent, "passing");
    await first.getByText("passing").waitFor();
    expect(await first.innerText()).toContain("payments-2");
    await page.getByText("1 change waits").waitFor();
    await page.keyboard.press("r");
    await eventually(async () => (await first.innerText()).includes("payments-1"), {
      what: "the order is applied",
    });
    await page.getByRole("link", { name: "payments-2" }).click();
    await setCheck(agent, "critical");
    const changes = page.locator(".panel .changes");
    await changes.getByText("critical").first().waitFor();
    await check();
    await context.close();
  });

  test("everything by keys alone", async () => {
    const { page, check, context } = await visit(browser, `${agent.url}/ui/dc1/services`);
    await page.getByRole("link", { name: "billing" }).waitFor();
    await page.keyboard.press("j");
    await eventually(() => page.evaluate(() => document.activeElement?.textContent === "billing"), {
      what: "the first row has the focus",
    });
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "payments" }).waitFor();
    await page.getByRole("link", { name: "payments-2" }).waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("w");
    await page.locator(".panel .reason").waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("]");
    await page.getByRole("link", { name: "v1" }).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("s");
    await page.getByRole("heading", { name: "Services" }).waitFor();
    for (let row = 0; row < 60; row++) await page.keyboard.press("j");
    const focused = await page.evaluate(() => {
      const row = document.activeElement?.closest("tr");
      return row?.getBoundingClientRect().bottom ?? Infinity;
    });
    expect(focused).toBeLessThanOrEqual(800);
    await page.keyboard.press("t");
    expect(await page.locator("html").getAttribute("data-theme")).toBe("light");
    await check();
    await context.close();
  });

  test("an agent that ends is missed, and what it says when it is back counts", async () => {
    const ports = await agentPorts();
    const one = await Proconsul.start({ args: ["-dev"], ports });
    const put = async (agent: Proconsul, Name: string): Promise<unknown> =>
      await agent.put("/v1/agent/service/register", { Name });
    await put(one, "before");
    for (let index = 0; index < 30; index++) await one.put(`/v1/kv/k${index}`, "v");
    const { page, check, context } = await visit(browser, `${one.url}/ui/dc1/services`);
    await page.getByRole("link", { name: "before" }).waitFor();
    await one.stop();
    await page.getByText(/Disconnected · data of/).waitFor();
    expect(await page.getByRole("link", { name: "before" }).isVisible()).toBe(true);
    const two = await Proconsul.start({ args: ["-dev"], ports });
    await put(two, "after");
    await page.getByRole("link", { name: "after" }).waitFor({ timeout: 40_000 });
    await page.getByText("live", { exact: true }).waitFor();
    await check();
    await context.close();
    await two.stop();
  });
});
