// Checks from the edge: which addresses are public, where names lead, what is asked on the way through redirects, and
// what several regions say together.

import { describe, expect, test } from "vitest";

import { keptAfter } from "../../../durable/checker/checker-rows.ts";
import { edgeCheck, type EdgeCheck, intervalMsOf } from "../../../durable/checker/edge-check.ts";
import { PublicNames } from "../../../durable/checker/names.ts";
import { isPublicAddress } from "../../../durable/checker/public-address.ts";
import { runCheck } from "../../../durable/checker/run-check.ts";
import { agreeingOf, verdictOf } from "../../../durable/checker/verdict.ts";
import type { ProbeAnswer, ProbeRequest } from "../../../durable/platform/platform.ts";
import { type CheckDefinition, emptyCheck } from "../../../src/core/agent/definitions.ts";

describe("an address", () => {
  test.each([
    ...[
      "0.0.0.0",
      "0.1.2.3",
      "10.0.0.1",
      "100.64.0.1",
      "100.127.255.255",
      "127.0.0.1",
      "127.9.9.9",
    ],
    ...["169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1"],
    ...["192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1"],
    ...["239.1.1.1", "240.0.0.1", "255.255.255.255"],
    ...[
      "::",
      "::1",
      "::ffff:127.0.0.1",
      "::ffff:8.8.8.8",
      "::ffff:7f00:1",
      "::127.0.0.1",
      "fc00::1",
    ],
    ...[
      "fd12::1",
      "fe80::1",
      "fe80::1%eth0",
      "ff02::1",
      "64:ff9b::a00:1",
      "64:ff9b:1::1",
      "2001::1",
    ],
    ...["2001:db8::1", "2002:7f00:1::1", "100::1", "3fff::1", "fec0::1", "2606:4700::1111%2"],
  ])("%s is not public", (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  test.each([
    ...["1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1"],
    ...["192.167.255.255", "198.17.0.1", "223.255.255.255", "2606:4700:4700::1111", "2a00::1"],
  ])("%s is", (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  test.each(["", "example.com", "1.2.3", "0x7f000001", "2130706433", "1.2.3.4.5"])(
    "%s is none",
    (text) => {
      expect(isPublicAddress(text)).toBeNull();
    },
  );
});

type Zone = Record<string, readonly string[]>;

function resolverOf(zone: Zone, asked: string[] = []) {
  return new PublicNames({
    nowMs: () => 0,
    resolver: "https://resolver.example/dns-query",
    outside: {
      ask: ({ url }) => {
        asked.push(url);
        const { searchParams } = new URL(url);
        const name = searchParams.get("name") ?? "";
        const isIpv6 = searchParams.get("type") === "AAAA";
        const found = (zone[name] ?? []).filter((data) => data.includes(":") === isIpv6);
        const Answer = [
          { name, type: 5, TTL: 1, data: "alias.example." },
          ...found.map((data) => ({ name, type: isIpv6 ? 28 : 1, TTL: 60, data })),
        ];
        const body = JSON.stringify({ Status: zone[name] ? 0 : 3, Answer: zone[name] && Answer });
        return Promise.resolve({ status: 200, contentType: "", location: "", body });
      },
    },
  });
}

describe("a name", () => {
  const zone: Zone = {
    "good.example": ["93.184.216.34", "2606:2800::1"],
    "inner.example": ["10.0.0.1"],
    "mixed.example": ["93.184.216.34", "127.0.0.1"],
    "mixed6.example": ["93.184.216.34", "::1"],
    "metadata.example": ["169.254.169.254"],
  };

  test("that leads to public addresses only is asked there; once a while", async () => {
    const asked: string[] = [];
    const names = resolverOf(zone, asked);
    expect(await names.addresses("Good.example.")).toEqual(["93.184.216.34", "2606:2800::1"]);
    expect(await names.addresses("good.example")).toHaveLength(2);
    expect(asked).toHaveLength(2);
    expect(await names.addresses("8.8.8.8")).toEqual(["8.8.8.8"]);
    expect(await names.addresses("[2606:4700::1]")).toEqual(["2606:4700::1"]);
  });

  test.each([
    ["inner.example", "inner.example (10.0.0.1) is not public"],
    ["mixed.example", "is not public"],
    ["mixed6.example", "is not public"],
    ["metadata.example", "(169.254.169.254) is not public"],
    ["127.0.0.1", "127.0.0.1 is not public"],
    ["[::ffff:127.0.0.1]", "is not public"],
    ["none.example", "lookup none.example: no such host"],
    ["localhost", "no name on the Internet"],
    ["a.localhost.", "no name on the Internet"],
    ["router", "no name on the Internet"],
    ["printer.local", "no name on the Internet"],
    ["metadata.google.internal", "no name on the Internet"],
    ["", "no name on the Internet"],
  ])("%s: %s", async (name, text) => {
    await expect(resolverOf(zone).addresses(name)).rejects.toThrow(text);
  });
});

function checkOf(given: Partial<CheckDefinition>): EdgeCheck {
  return edgeCheck("c", { ...emptyCheck, intervalMs: 60_000, ...given }) as EdgeCheck;
}

function ok(changed: Partial<ProbeAnswer> = {}): ProbeAnswer {
  return { status: 200, statusText: "OK", location: "", body: "fine", ...changed };
}

function parts(...answers: ProbeAnswer[]) {
  const asked: ProbeRequest[] = [];
  const judged: string[] = [];
  const dialed: string[] = [];
  const refusedHosts = new Set(["127.0.0.1", "inner.example"]);
  const run = {
    nowMs: () => 0,
    addresses: (host: string) => {
      judged.push(host);
      const isRefused = refusedHosts.has(host);
      return isRefused
        ? Promise.reject(new Error(`${host} is not public`))
        : Promise.resolve(["9.9.9.9"]);
    },
    outside: {
      skipsVerification: false,
      probe: (request: ProbeRequest) => {
        asked.push(request);
        return Promise.resolve(answers[asked.length - 1] ?? ok());
      },
      dial: ({ host, port }: { host: string; port: number }) => {
        dialed.push(`${host}:${port}`);
        return Promise.resolve();
      },
    },
  };
  return { asked, judged, dialed, run };
}

describe("an HTTP check", () => {
  test("sends its method, headers and body, and says what came", async () => {
    const { asked, run } = parts(
      ok({ status: 429, statusText: "Too Many Requests", body: "slow" }),
    );
    const header = { "X-Key": ["a", "b"], accept: ["x/y"] };
    const check = checkOf({ http: "https://a.example/health", method: "PUT", body: "{}", header });
    expect(await runCheck(check, run)).toEqual({
      status: "warning",
      output: "HTTP PUT https://a.example/health: 429 Too Many Requests Output: slow",
    });
    expect(asked[0]).toMatchObject({ method: "PUT", body: "{}", timeoutMs: 10_000 });
    expect(asked[0]?.headers).toEqual([
      ["user-agent", "Consul Health Check"],
      ["x-key", "a"],
      ["x-key", "b"],
      ["accept", "x/y"],
    ]);
  });

  test("judges each hop before it goes there, and tells no secret to another host", async () => {
    const moved = (location: string, status = 302): ProbeAnswer => ok({ status, location });
    const { asked, judged, run } = parts(moved("/next", 307), moved("https://b.example/"), ok());
    const header = { Authorization: ["secret"], Host: ["virtual"] };
    const check = checkOf({ http: "http://a.example/", method: "POST", body: "x", header });
    expect((await runCheck(check, run)).status).toBe("passing");
    expect(judged).toEqual(["a.example", "a.example", "b.example"]);
    expect(asked.map(({ method, url, body }) => [method, url, body])).toEqual([
      ["POST", "http://a.example/", "x"],
      ["POST", "http://a.example/next", "x"],
      ["GET", "https://b.example/", ""],
    ]);
    const secrets = asked.map(({ headers }) => headers.some(([name]) => name === "authorization"));
    expect(secrets).toEqual([true, true, false]);
  });

  test.each([
    ["http://127.0.0.1/latest/meta-data", "is not public"],
    ["http://2130706433/", "127.0.0.1 is not public"],
    ["http://0x7f.1/", "127.0.0.1 is not public"],
    ["https://user:password@a.example/", "a URL with credentials"],
    ["file:///etc/passwd", 'unsupported protocol scheme "file"'],
    ["nonsense", 'unsupported protocol scheme ""'],
  ])("%s: %s", async (http, text) => {
    const { asked, run } = parts();
    const { status, output } = await runCheck(checkOf({ http }), run);
    expect([status, asked]).toEqual(["critical", []]);
    expect(output).toContain(text);
  });

  test("a redirect inside is not followed, and one in a circle ends", async () => {
    const inside = parts(ok({ status: 301, location: "http://inner.example/" }));
    const result = await runCheck(checkOf({ http: "http://a.example/" }), inside.run);
    expect(result).toMatchObject({ status: "critical" });
    expect(result.output).toContain("inner.example is not public");
    expect(inside.asked).toHaveLength(1);
    const circle = parts(...Array.from({ length: 30 }, () => ok({ status: 302, location: "/" })));
    const { output } = await runCheck(checkOf({ http: "http://a.example/" }), circle.run);
    expect(output).toContain("stopped after 10 redirects");
    expect(circle.asked).toHaveLength(11);
  });

  test("a certificate is not left unverified in silence", async () => {
    const { run } = parts();
    const check = checkOf({ http: "https://a.example/", tlsSkipVerify: true });
    expect((await runCheck(check, run)).output).toContain("verifies every certificate");
  });
});

test("a TCP check dials the address that was judged, not the name", async () => {
  const { dialed, run } = parts();
  const result = await runCheck(checkOf({ tcp: "a.example:5432" }), run);
  expect(result).toEqual({ status: "passing", output: "TCP connect a.example:5432: Success" });
  expect(dialed).toEqual(["9.9.9.9:5432"]);
  expect((await runCheck(checkOf({ tcp: "inner.example:22" }), run)).status).toBe("critical");
  expect((await runCheck(checkOf({ tcp: "a.example" }), run)).output).toContain("missing port");
});

test("intervals are whole ticks of ten seconds", () => {
  const of = (intervalMs: number): number => intervalMsOf(checkOf({ http: "x", intervalMs }));
  expect([0, 1_000, 10_000, 15_000, 60_000].map(of)).toEqual([
    10_000, 10_000, 10_000, 20_000, 60_000,
  ]);
});

describe("what regions say together", () => {
  test.each([
    ["pp", 2, "passing"],
    ["pc", 2, null],
    ["ppc", 2, "passing"],
    ["pcc", 2, "critical"],
    ["pwc", 2, "warning"],
    ["p", 2, null],
    ["cc", 2, "critical"],
    ["pw", 2, null],
    ["ppc", 1, "critical"],
    ["ppc", 3, null],
  ])("%s, of which %i must agree: %s", (letters, agreeing, expected) => {
    const statuses = { p: "passing", w: "warning", c: "critical" } as const;
    const said = letters.split("").map((letter, at) => {
      const status = statuses[letter as keyof typeof statuses];
      return [`r${at}`, { status, output: `because ${at}` }] as const;
    });
    expect(verdictOf(new Map(said), agreeing)?.status ?? null).toBe(expected);
  });

  test("keeps the reason of each", () => {
    const said = new Map([
      ["weur", { status: "passing" as const, output: "200 OK\n" }],
      ["enam", { status: "passing" as const, output: "204" }],
    ]);
    expect(verdictOf(said, 2)?.output).toBe("weur: passing: 200 OK\nenam: passing: 204");
    expect(verdictOf(new Map([...said].slice(0, 1)), 1)?.output).toBe("200 OK\n");
  });

  test("more than half, unless told", () => {
    expect([1, 2, 3, 4].map((regions) => agreeingOf(regions, undefined))).toEqual([1, 2, 2, 3]);
    expect([agreeingOf(3, 1), agreeingOf(3, 9), agreeingOf(3, 0)]).toEqual([1, 3, 1]);
  });
});

test("a change is told when thresholds allow it; an output alone every five minutes", () => {
  const check = checkOf({ http: "x", failuresBeforeCritical: 2, successBeforePassing: 1 });
  const run = (
    before: Parameters<typeof keptAfter>[0],
    status: "passing" | "critical",
    atMs = 0,
    output = "",
  ) => keptAfter(before, check, { status, output }, atMs);
  const first = run(null, "passing");
  expect(first).toMatchObject({ status: "passing", isTold: false });
  const told = first && { ...first, isTold: true };
  expect(run(told, "passing")).toBeNull();
  const held = run(told, "critical");
  expect(held).toMatchObject({ status: "passing", streak: 1, isTold: true });
  expect(run(held, "passing")).toMatchObject({ status: "passing", streak: 0 });
  expect(run(held, "critical")).toMatchObject({ status: "critical", isTold: false });
  expect(run(told, "passing", 299_999, "other")).toBeNull();
  expect(run(told, "passing", 300_000, "other")).toMatchObject({ output: "other", isTold: false });
});
