// What checks of services may expect of every host of the platform port that has a network.

import { expect, test } from "vitest";

import type { Outside, ProbeRequest } from "../../durable/platform/platform.ts";

export function probeOf(url: string, more: Partial<ProbeRequest> = {}): ProbeRequest {
  return {
    ...{ method: "GET", url, headers: [], body: "", skipsVerification: false },
    ...{ timeoutMs: 5_000, bytesMax: 100 },
    ...more,
  };
}

/** `portOf`: of test/support/outside-server.ts, on loopback. */
export function outsideContract(outsideOf: () => Outside, portOf: () => number): void {
  const url = (path: string): string => `http://127.0.0.1:${portOf()}${path}`;

  test("a probe sends any method, headers twice and a body, and follows no redirect", async () => {
    const headers = [
      ["x-key", "a"],
      ["x-key", "b"],
    ] as const;
    const asked = probeOf(url("/echo"), { method: "PATCH", headers, body: "hello" });
    expect(await outsideOf().probe(asked)).toEqual({
      ...{ status: 302, statusText: "Found", location: "/there" },
      body: "PATCH a, b hello",
    });
  });

  test("a probe reads no more than it was told", async () => {
    expect((await outsideOf().probe(probeOf(url("/endless")))).body).toBe("x".repeat(100));
  });

  test("a probe waits no longer than it was told", async () => {
    const late = outsideOf().probe(probeOf(url("/silent"), { timeoutMs: 50 }));
    await expect(late).rejects.toThrow("context deadline exceeded");
  });

  test("dialing opens a connection, or says that there is none", async () => {
    const target = { host: "127.0.0.1", port: portOf(), timeoutMs: 5_000 };
    expect(await outsideOf().dial(target)).toBeUndefined();
    await expect(outsideOf().dial({ ...target, port: 1 })).rejects.toThrow();
    await expect(outsideOf().probe(probeOf("http://127.0.0.1:1/"))).rejects.toThrow();
  });
}
