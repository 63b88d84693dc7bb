// Where log lines go besides the terminal: files that rotate as Consul's do, and syslog.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { AgentLog, plainLog } from "../../src/agent/log.ts";
import { LogFile } from "../../src/agent/logs/file.ts";
import { Syslog } from "../../src/agent/logs/syslog.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "proconsul-logs-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const whole = plainLog;
const names = (): string[] => readdirSync(directory).toSorted();

describe("files", () => {
  test.each([
    ["x", "x-1000000000.log"],
    ["x.log", "x-1000000000.log"],
    ["x.json", "x-1000000000.json"],
    ["", "consul-1000000000.log"],
  ])("%s is called %s", (given, name) => {
    new LogFile({ ...whole, file: `${directory}/${given}` }, () => 1_000).write("line");
    expect(names()).toEqual([name]);
    expect(readFileSync(join(directory, name), "utf8")).toBe("line\n");
  });

  test("the next begins after the line that filled one, and the oldest go", () => {
    writeFileSync(join(directory, "x-other.log"), "not ours");
    const config = { ...whole, file: join(directory, "x"), rotateBytes: 10, rotateFilesMax: 2 };
    const file = new LogFile(config, () => 1);
    for (const line of ["one", "two 45678", "three 7890", "four 67890", "five"]) file.write(line);
    const contents = names().map((name) => readFileSync(join(directory, name), "utf8"));
    expect(contents).toEqual(["three 7890\n", "four 67890\n", "five\n", "not ours"]);
  });

  test("below zero only the current one is kept", () => {
    const config = { ...whole, file: join(directory, "x"), rotateBytes: 1, rotateFilesMax: -1 };
    const file = new LogFile(config, () => 1);
    for (const line of ["a", "b", "c"]) file.write(line);
    expect(names()).toEqual(["x-1000002.log"]);
  });

  test("age changes files, too: a day unless something is said", () => {
    let nowMs = 0;
    const file = new LogFile({ ...whole, file: join(directory, "x") }, () => nowMs);
    const short = new LogFile({ ...whole, file: join(directory, "y"), rotateMs: 5 }, () => nowMs);
    nowMs = 5;
    for (const each of [file, short]) each.write("line");
    expect(names()).toEqual(
      ["x-0.log", "y-0.log", "y-5000000.log"].map((name) => name.replace("-0.", "-1.")),
    );
    nowMs = 24 * 3_600_000;
    file.write("line");
    expect(names()).toHaveLength(4);
  });

  test("one that cannot be opened says why", () => {
    const config = { ...whole, file: "/nonexistent/x" };
    expect(() => new LogFile(config, () => 1)).toThrow(
      "open /nonexistent/x-1000000.log: no such file or directory",
    );
  });
});

describe("syslog", () => {
  test("lines go out with facility and priority, without time and level", async () => {
    const path = join(directory, "log");
    const heard = Promise.withResolvers<string>();
    let text = "";
    const server = createServer((socket) => {
      socket.on("data", (chunk) => {
        text += chunk.toString();
        if (text.includes("last")) heard.resolve(text);
      });
    });
    await new Promise<void>((resolve) => void server.listen(path, resolve));
    const syslog = new Syslog("local1", path);
    syslog.write("info", "agent: first\nline");
    syslog.write("err", "agent: last");
    const said = await heard.promise;
    server.close();
    expect(said).toMatch(/<141>.*consul.*agent: first line/);
    expect(said).toMatch(/<139>.*consul.*agent: last/);
  });

  test("is refused where there is none, and for facilities that there are not", () => {
    const path = join(directory, "none");
    expect(() => new Syslog("LOCAL0", path)).toThrow(`there is no syslog at ${path}`);
    expect(() => new Syslog("FOO", path)).toThrow("invalid syslog facility: FOO");
  });
});

test("a log writes to its file what it prints, in the same form", () => {
  const printed: string[] = [];
  const log = new AgentLog((line) => printed.push(line));
  log.debug("agent", "too low");
  log.info("agent", "held", { a: "b c" });
  const file = join(directory, "x");
  log.open({ ...plainLog, file });
  log.error("agent.http", "now");
  const written = readFileSync(join(directory, names()[0] as string), "utf8");
  expect(written).toBe(printed.map((line) => `${line.trim()}\n`).join(""));
  expect(printed[0]).toMatch(/\[INFO\] {2}agent: held: a="b c"$/);
  expect(printed[1]).toMatch(/\[ERROR\] agent.http: now$/);
});
