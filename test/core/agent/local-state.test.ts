import { describe, expect, test } from "vitest";
import { ServiceError } from "../../../src/core/model/errors.ts";
import { checkOf, newState, putCheck, putService, startMs } from "./support.ts";

const ids = (map: ReadonlyMap<string, unknown>): string[] => [...map.keys()].toSorted();

const withSidecar = (name: string): object => ({
  Name: name,
  Port: 1,
  Connect: { SidecarService: {} },
});

describe("registering a service", () => {
  test("fills in what Consul fills in", () => {
    const state = newState();
    putService(state, { Name: "web", Port: 80, Address: "10.0.0.5" });
    expect(state.rows.services.get("web")?.service).toMatchObject({
      ID: "web",
      Service: "web",
      Tags: [],
      Meta: null,
      Weights: { Passing: 1, Warning: 1 },
      TaggedAddresses: {
        lan_ipv4: { Address: "10.0.0.5", Port: 80 },
        wan_ipv4: { Address: "10.0.0.5", Port: 80 },
      },
    });
  });

  test("an IPv6 address gets the IPv6 tags, a name none", () => {
    const state = newState();
    putService(state, { Name: "six", Address: "::1" });
    putService(state, { Name: "name", Address: "db.example.com" });
    const tagged = (id: string): string[] =>
      Object.keys(state.rows.services.get(id)?.service.TaggedAddresses ?? {});
    expect(tagged("six")).toEqual(["lan_ipv6", "wan_ipv6"]);
    expect(tagged("name")).toEqual([]);
  });

  test("one check is service:<id>, several are numbered, and names have a default", () => {
    const state = newState();
    putService(state, { Name: "one", Check: { TTL: "5s" } });
    putService(state, {
      Name: "two",
      Check: { Name: "A", TTL: "5s" },
      Checks: [{ TTL: "5s" }, { CheckID: "own", TTL: "5s" }],
    });
    expect(ids(state.rows.checks)).toEqual([
      "own",
      "service:one",
      "service:two:1",
      "service:two:2",
    ]);
    expect(state.rows.checks.get("service:two:1")?.check.Name).toBe("A");
    expect(state.rows.checks.get("service:one")?.check).toMatchObject({
      Name: "Service 'one' check",
      Status: "critical",
      Type: "ttl",
      ServiceTags: [],
    });
  });

  test("registering again keeps what checks said, and checks not defined any more", () => {
    const state = newState();
    putService(state, { Name: "api", Checks: [{ TTL: "5s", Status: "passing" }, { TTL: "5s" }] });
    state.updateTtl("service:api:1", "warning", "careful", startMs);
    putService(state, {
      Name: "api",
      Tags: ["new"],
      Checks: [{ CheckID: "service:api:1", TTL: "9s" }],
    });
    expect(checkOf(state, "service:api:1")).toEqual({ status: "warning", output: "careful" });
    expect(state.rows.checks.get("service:api:1")?.check.ServiceTags).toEqual(["new"]);
    expect(state.rows.checks.has("service:api:2")).toBe(true);
  });

  test("replace-existing-checks removes the others, maintenance excepted", () => {
    const state = newState();
    putService(state, { Name: "api", Checks: [{ TTL: "5s" }, { TTL: "5s" }] });
    state.serviceMaintenance("api", true, "", startMs);
    putService(state, { Name: "api", Check: { TTL: "5s" } }, { replaceExistingChecks: true });
    expect(ids(state.rows.checks)).toEqual(["_service_maintenance:api", "service:api"]);
  });

  test("scripts are refused unless enabled for where they come from", () => {
    const script = { Name: "s", Check: { Args: ["true"], Interval: "1s" } };
    const state = newState({ scripts: { fromFile: true, fromApi: false } });
    expect(() => putService(state, script)).toThrow(
      "Scripts are disabled on this agent from remote calls; " +
        "to enable, configure 'enable_script_checks' to true",
    );
    expect(state.rows.services.size).toBe(0);
    putService(state, script, { origin: "file" });
    expect(state.rows.checks.get("service:s")?.check.Type).toBe("script");
  });
});

describe("sidecars", () => {
  test("take over tags, metadata and address, the first free port, and two checks", () => {
    const state = newState();
    putService(state, {
      Name: "api",
      Port: 9000,
      Tags: ["t"],
      Meta: { a: "b" },
      Address: "10.0.0.5",
      Connect: { SidecarService: {} },
    });
    expect(state.rows.services.get("api-sidecar-proxy")?.service).toMatchObject({
      Kind: "connect-proxy",
      Service: "api-sidecar-proxy",
      Tags: ["t"],
      Meta: { a: "b" },
      Port: 21_000,
      Address: "10.0.0.5",
      Proxy: {
        DestinationServiceName: "api",
        DestinationServiceID: "api",
        LocalServiceAddress: "127.0.0.1",
        LocalServicePort: 9000,
      },
    });
    expect(state.rows.checks.get("service:api-sidecar-proxy:1")?.check).toMatchObject({
      Name: "Connect Sidecar Listening",
      Type: "tcp",
      Status: "critical",
    });
    expect(state.rows.checks.get("service:api-sidecar-proxy:2")?.check).toMatchObject({
      Name: "Connect Sidecar Aliasing api",
      Status: "passing",
      Output: "No checks found.",
    });
  });

  test("keep their port when registered again, and leave with their service", () => {
    const state = newState({ sidecarPorts: { min: 21_000, max: 21_001 } });
    putService(state, withSidecar("a"));
    putService(state, withSidecar("b"));
    putService(state, withSidecar("a"));
    const port = (id: string): number | undefined => state.rows.services.get(id)?.service.Port;
    expect([port("a-sidecar-proxy"), port("b-sidecar-proxy")]).toEqual([21_000, 21_001]);
    expect(() => putService(state, withSidecar("c"))).toThrow(
      "Invalid SidecarService: no port provided for sidecar_service and none left " +
        "in the configured range [21000, 21001]",
    );
    expect(state.rows.services.has("c")).toBe(false);
    state.deregisterService("a", startMs);
    expect(ids(state.rows.services)).toEqual(["b", "b-sidecar-proxy"]);
  });
});

describe("checks", () => {
  test("of a service need the service", () => {
    const state = newState();
    expect(() => putCheck(state, { Name: "m", ServiceID: "zzz", TTL: "15s" })).toThrow(
      'ServiceID "zzz" does not exist',
    );
  });

  test("a TTL that runs out turns critical and quotes the last output", () => {
    const state = newState();
    putCheck(state, { Name: "a", TTL: "10s", Status: "passing" });
    putCheck(state, { Name: "b", TTL: "10s" });
    state.updateTtl("b", "passing", "hello", startMs + 5_000);
    expect(state.nextDeadlineMs()).toBe(startMs + 10_000);
    state.tick(startMs + 10_000);
    expect(checkOf(state, "a")).toEqual({ status: "critical", output: "TTL expired" });
    expect(checkOf(state, "b").status).toBe("passing");
    state.tick(startMs + 15_000);
    expect(checkOf(state, "b")).toEqual({
      status: "critical",
      output: "TTL expired (last output before timeout follows): hello",
    });
  });

  test("only TTL checks can be updated", () => {
    const state = newState();
    putCheck(state, { Name: "t", TCP: "127.0.0.1:1", Interval: "1s" });
    for (const id of ["t", "nochk"]) {
      expect(() => state.updateTtl(id, "passing", "", startMs)).toThrow(
        `CheckID "${id}" does not have associated TTL`,
      );
    }
  });

  test("a long note is cut, and discard_check_output keeps none", () => {
    const state = newState({ outputBytesMax: 10 });
    putCheck(state, { Name: "a", TTL: "10s" });
    state.updateTtl("a", "passing", "0123456789abc", startMs);
    expect(checkOf(state, "a").output).toBe("0123456789 ... (captured 10 of 13 bytes)");
    const silent = newState({ discardCheckOutput: true });
    putCheck(silent, { Name: "a", TTL: "10s" });
    silent.updateTtl("a", "warning", "text", startMs);
    expect(checkOf(silent, "a")).toEqual({ status: "warning", output: "" });
  });

  test("a service that stays critical is removed, never before a minute", () => {
    const state = newState();
    putService(state, {
      Name: "w",
      Check: { HTTP: "http://x", Interval: "1s", DeregisterCriticalServiceAfter: "10s" },
    });
    state.reportCheck("service:w", "passing", "", startMs + 1_000);
    expect(state.nextDeadlineMs()).toBe(null);
    state.reportCheck("service:w", "critical", "", startMs + 5_000);
    // Critical at 5 s, due at 65 s, looked at every 30 s.
    expect(state.nextDeadlineMs()).toBe(startMs + 90_000);
    state.tick(startMs + 89_999);
    expect(state.rows.services.has("w")).toBe(true);
    state.tick(startMs + 90_000);
    expect(state.rows.services.has("w")).toBe(false);
    expect(state.rows.checks.size).toBe(0);
  });

  test("restored results come back with their deadline", () => {
    const state = newState();
    putCheck(state, { Name: "a", TTL: "60s" });
    const saved = { status: "passing", output: "ok", ttlDeadlineMs: startMs + 7_000 } as const;
    state.restoreCheck("a", saved, startMs);
    expect(checkOf(state, "a")).toEqual({ status: "passing", output: "ok" });
    expect(state.nextDeadlineMs()).toBe(startMs + 7_000);
  });
});

describe("alias checks", () => {
  test("follow the service and the node at once", () => {
    const state = newState();
    putService(state, { Name: "w", Check: { Name: "wc", TTL: "60s", Status: "passing" } });
    putService(state, { Name: "x", Check: { CheckID: "al", AliasService: "w" } });
    expect(checkOf(state, "al")).toEqual({ status: "passing", output: "All checks passing." });
    state.updateTtl("service:w", "warning", "slow", startMs);
    expect(checkOf(state, "al")).toEqual({
      status: "warning",
      output: 'Aliased check "wc" failing: slow',
    });
    state.nodeMaintenance(true, "", startMs);
    expect(checkOf(state, "al").status).toBe("critical");
    state.nodeMaintenance(false, "", startMs);
    state.deregisterService("w", startMs);
    expect(checkOf(state, "al")).toEqual({
      status: "critical",
      output: "Service w could not be found on node ",
    });
  });

  test("of an alias see through it, and one of the node does not see itself", () => {
    const state = newState();
    putService(state, { Name: "a", Check: { CheckID: "a1", AliasService: "b" } });
    putService(state, { Name: "b", Check: { CheckID: "b1", AliasService: "c" } });
    putService(state, { Name: "c", Check: { CheckID: "c1", TTL: "60s", Status: "passing" } });
    expect(checkOf(state, "a1").status).toBe("passing");
    state.updateTtl("c1", "critical", "", startMs);
    expect(checkOf(state, "a1").status).toBe("critical");
    state.updateTtl("c1", "passing", "", startMs);
    expect(checkOf(state, "a1").status).toBe("passing");
    putCheck(state, { Name: "self", AliasService: "c" });
    expect(checkOf(state, "self").status).toBe("passing");
  });
});

describe("maintenance and health", () => {
  test("enabling twice keeps the first reason, and the default text names the subject", () => {
    const state = newState();
    putService(state, { Name: "w" });
    state.serviceMaintenance("w", true, "deploy", startMs);
    state.serviceMaintenance("w", true, "second", startMs);
    state.nodeMaintenance(true, "", startMs);
    expect(state.rows.checks.get("_service_maintenance:w")?.check).toMatchObject({
      Name: "Service Maintenance Mode",
      Notes: "deploy",
      Status: "critical",
      Type: "maintenance",
      ServiceID: "w",
    });
    expect(state.rows.checks.get("_node_maintenance")?.check.Notes).toBe(
      "Maintenance mode is enabled for this node, but no reason was provided. " +
        "This is a default message.",
    );
    expect(state.serviceMaintenance("nope", true, "", startMs)).toBe(false);
  });

  test("the worst check counts, and maintenance is worse than critical", () => {
    const state = newState();
    putService(state, { Name: "w", Checks: [{ TTL: "5s", Status: "passing" }, { TTL: "5s" }] });
    putService(state, { Name: "other", Check: { TTL: "5s" } });
    const status = (): string | undefined => state.serviceHealth("w")?.status;
    expect(status()).toBe("critical");
    state.updateTtl("service:w:2", "warning", "", startMs);
    expect(status()).toBe("warning");
    state.updateTtl("service:w:2", "passing", "", startMs);
    expect(status()).toBe("passing");
    state.nodeMaintenance(true, "", startMs);
    expect(status()).toBe("maintenance");
    expect(state.serviceHealth("none")).toBe(null);
  });

  test("an empty id is an error, an unknown one is not", () => {
    const state = newState();
    expect(state.deregisterService("zzz", startMs)).toBe(false);
    expect(state.deregisterCheck("zzz", startMs)).toBe(false);
    expect(() => state.deregisterService("", startMs)).toThrow(ServiceError);
    expect(() => state.deregisterCheck("", startMs)).toThrow("CheckID missing");
  });
});
