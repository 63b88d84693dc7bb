import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ConfigError, FlagError } from "../../src/agent/config/errors.ts";
import { agentHelp } from "../../src/agent/config/flags.ts";
import { validateConfigFiles } from "../../src/agent/config/load.ts";
import { configLab, facts } from "../support/config-lab.ts";

const lab = configLab();
const { file, load } = lab;

function refusal(...args: string[]): string {
  try {
    load(...args);
  } catch (error) {
    if (error instanceof ConfigError || error instanceof FlagError) return error.message;
    throw error;
  }
  return "accepted";
}

/** The error that a file with this content gives, without the file's name. */
function fileRefusal(content: string | object): string {
  const path = file("t.json", content);
  return refusal("-dev", "-config-file", path).replace(`failed to parse ${path}: `, "");
}

const failure = (args: string[]): FlagError => {
  try {
    load(...args);
  } catch (error) {
    if (error instanceof FlagError) return error;
  }
  throw new Error("accepted");
};

describe("flags", () => {
  test("are read as Go reads them", () => {
    const config = load("-dev", "--http-port=8501", "-dns-port", "-1", "-node", "n1", "-ui=false");
    expect(config).toMatchObject({ nodeName: "n1", devMode: true, server: true, servers: 1 });
    expect(config.ports).toMatchObject({ http: 8501, dns: -1, server: 8300 });
    expect(config.debug).toMatchObject({ EnableUI: false });
  });

  test.each<[string[], string]>([
    [["-zap"], "flag provided but not defined: -zap"],
    [
      ["-dev=maybe"],
      'invalid boolean value "maybe" for -dev: strconv.ParseBool: parsing "maybe": invalid syntax',
    ],
    [
      ["-http-port", "abc"],
      'invalid value "abc" for flag -http-port: strconv.Atoi: parsing "abc": invalid syntax',
    ],
    [["-http-port"], "flag needs an argument: -http-port"],
    [["-dev", "extra", "args"], "Unexpected extra arguments: [extra args]"],
    [
      ["-retry-interval", "5x", "-dev"],
      '1 error occurred:\n\t* retry_interval: invalid duration: "5x": ' +
        'time: unknown unit "x" in duration "5x"\n\n',
    ],
  ])("%j", (args, expected) => {
    expect(refusal(...args)).toBe(expected);
  });

  test("a mistake comes with usage, and -h with help", () => {
    expect(failure(["-zap"]).usage).toContain("  -bind value\n    \t");
    expect(failure(["-h"])).toMatchObject({ help: true, usage: agentHelp() });
    expect(agentHelp()).toContain("  -node-meta=<key:value>\n     ");
  });

  test("repeated flags add up, and ours choose servers and runtime", () => {
    const config = load(
      ..."-dev -servers 3 -runtime miniflare -retry-join a -retry-join=b".split(" "),
      ..."-node-meta rack:r1 -node-meta zone:a:b".split(" "),
    );
    expect(config).toMatchObject({ servers: 3, runtime: "miniflare" });
    expect(config.retryJoin.addresses).toEqual(["a", "b"]);
    expect(config.nodeMeta).toEqual({ rack: "r1", zone: "a:b" });
  });
});

describe("files", () => {
  test("later ones win, lists grow, maps are joined, and flags come last", () => {
    const first = file("1.json", {
      datacenter: "East",
      retry_join: ["a"],
      node_meta: { x: "1", y: "1" },
      ports: { http: 9000, dns: 9001 },
    });
    const second = file("2.json", {
      retry_join: ["b"],
      node_meta: { y: "2" },
      ports: [{ http: 9100 }],
      check_update_interval: "30s",
    });
    const config = load("-dev", "-config-file", first, "-config-file", second, "-dns-port", "9200");
    expect(config).toMatchObject({
      datacenter: "east",
      nodeMeta: { x: "1", y: "2" },
      checkUpdateIntervalMs: 30_000,
    });
    expect(config.retryJoin.addresses).toEqual(["a", "b"]);
    expect(config.ports).toMatchObject({ http: 9100, dns: 9200 });
  });

  test("a directory gives its JSON files in order; other files are passed over", () => {
    mkdirSync(join(lab.directory, "d"));
    mkdirSync(join(lab.directory, "d", "sub"));
    file("d/b.json", { node_name: "b" });
    file("d/a.json", { node_name: "a", server: false });
    file("d/c.txt", "{");
    file("d/sub/x.json", { zap: 1 });
    const config = load("-dev", "-config-dir", join(lab.directory, "d"));
    expect(config).toMatchObject({ nodeName: "b", server: false, servers: 0 });
    expect(config.warnings).toContain(
      `skipping file ${join(lab.directory, "d/c.txt")}, extension must be .hcl or .json, ` +
        "or config format must be set",
    );
  });

  test("what cannot be opened is named", () => {
    expect(refusal("-dev", "-config-file", "/nope.json")).toBe(
      "config: Open failed on /nope.json. open /nope.json: no such file or directory",
    );
  });

  /** Texts recorded from Consul 1.8.7. */
  test.each<[string | object, string]>([
    [" ", "unexpected end of JSON input"],
    ["{", "unexpected end of JSON input"],
    ["[]", "json: cannot unmarshal array into Go value of type map[string]interface {}"],
    [{ zap: 1 }, "1 error occurred:\n\t* invalid config key zap\n\n"],
    [
      { zap: 1, ports: { foo: 1 } },
      "2 errors occurred:\n\t* invalid config key zap\n\t* invalid config key ports.foo\n\n",
    ],
    [
      { services: [{ name: "x", checks: [{ foo: 1 }] }] },
      "1 error occurred:\n\t* invalid config key services[0].checks[0].foo\n\n",
    ],
    [
      { ports: { http: "abc" } },
      "1 error(s) decoding:\n\n* 'ports.http' expected type 'int', got unconvertible type 'string'",
    ],
    [
      { server: 1 },
      "1 error(s) decoding:\n\n* 'server' expected type 'bool', got unconvertible type 'float64'",
    ],
    [
      { retry_join: "x" },
      "1 error(s) decoding:\n\n* 'retry_join': source data must be an array or slice, got string",
    ],
    [
      { node_meta: { a: 1 } },
      "1 error(s) decoding:\n\n" +
        "* 'node_meta[a]' expected type 'string', got unconvertible type 'float64'",
    ],
    [{ ports: 3 }, "1 error(s) decoding:\n\n* 'ports' expected a map, got 'float64'"],
    [
      { check_update_interval: 300 },
      "1 error(s) decoding:\n\n" +
        "* 'check_update_interval' expected type 'string', got unconvertible type 'float64'",
    ],
    [
      { check_update_interval: "5x" },
      '1 error occurred:\n\t* check_update_interval: invalid duration: "5x": ' +
        'time: unknown unit "x" in duration "5x"\n\n',
    ],
    [
      { service: { name: "x", check: { interval: "zz" } } },
      '1 error occurred:\n\t* check[].interval: invalid duration: "zz": ' +
        'time: invalid duration "zz"\n\n',
    ],
  ])("%j", (content, expected) => {
    expect(fileRefusal(content)).toBe(expected);
  });

  test("keys that are not built are accepted, with one warning each", () => {
    const path = file("t.json", { raft_protocol: 3, serf_wan: "10.0.0.1" });
    expect(load("-dev", "-config-file", path).warnings).toEqual([
      "the configuration key raft_protocol is accepted but has no effect: there is one version of Raft",
      "the configuration key serf_wan is accepted but has no effect: servers of other datacenters come in at bind_addr",
    ]);
  });
});

describe("definitions", () => {
  test("in snake_case become what the API makes of them", () => {
    const path = file("t.json", {
      service: {
        name: "web",
        tags: ["a"],
        meta: { Some_Key: "v" },
        tagged_addresses: { wan: { address: "198.51.100.1", port: 80 } },
        enable_tag_override: true,
        check: { id: "wc", http: "http://x", interval: "10s", header: { "X-A": ["1"] } },
        connect: { sidecar_service: { proxy: { upstreams: [{ destination_name: "db" }] } } },
      },
      checks: [{ id: "mem", name: "memory", ttl: "30s", deregister_critical_service_after: "2m" }],
    });
    const { services, checks } = load("-dev", "-config-file", path);
    expect(services[0]?.service).toMatchObject({
      Service: "web",
      Meta: { Some_Key: "v" },
      EnableTagOverride: true,
      TaggedAddresses: { wan: { Address: "198.51.100.1", Port: 80 } },
    });
    expect(services[0]?.checks[0]).toMatchObject({
      checkId: "wc",
      intervalMs: 10_000,
      header: { "X-A": ["1"] },
    });
    expect(services[0]?.sidecar?.service.Proxy.Upstreams?.[0]?.DestinationName).toBe("db");
    expect(checks[0]).toMatchObject({ checkId: "mem", ttlMs: 30_000, deregisterAfterMs: 120_000 });
  });

  test("that are wrong stop the agent", () => {
    const path = file("t.json", { service: { name: "x", check: { http: "http://x" } } });
    expect(refusal("-dev", "-config-file", path)).toBe(
      'Failed to register service "x": Invalid check: ' +
        "Interval must be > 0 for Script, HTTP, or TCP checks",
    );
  });
});

/** Texts recorded from Consul 1.8.7. */
describe("rules", () => {
  const data = "/tmp/does-not-exist-and-is-not-made";
  test.each<[string[], string]>([
    [[], "data_dir cannot be empty"],
    [["-server"], "data_dir cannot be empty"],
    [["-data-dir", "/etc/hostname"], 'data_dir "/etc/hostname" is not a directory'],
    [["-data-dir", data, "-bootstrap"], "'bootstrap = true' requires 'server = true'"],
    [
      ["-data-dir", data, "-bootstrap-expect", "3"],
      "'bootstrap_expect > 0' requires 'server = true'",
    ],
    [
      ["-data-dir", data, "-server", "-bootstrap", "-bootstrap-expect", "3"],
      "'bootstrap_expect > 0' and 'bootstrap = true' are mutually exclusive",
    ],
    [["-dev", "-bootstrap-expect", "3"], "'bootstrap_expect > 0' not allowed in dev mode"],
    [
      ["-dev", "-bootstrap-expect", "-1"],
      "bootstrap_expect cannot be -1. Must be greater than or equal to zero",
    ],
    [["-dev", "-datacenter", "A B"], 'datacenter cannot be "a b". Please use only [a-z0-9-_]'],
    [["-dev", "-advertise", "0.0.0.0"], "Advertise address cannot be 0.0.0.0, :: or [::]"],
    [
      ["-dev", "-client", "1.2.3.999"],
      "1 error occurred:\n\t* client_addr: invalid ip address: 1.2.3.999\n\n",
    ],
    [["-dev", "-bind", "zzz"], "bind_addr cannot be empty"],
    [
      ["-dev", "-bind", "1.2.3.4 5.6.7.8"],
      "bind_addr cannot contain multiple addresses. Use 'addresses.{dns,http,https}' instead.",
    ],
    [
      ["-dev", "-check_output_max_size", "0"],
      "check_output_max_size must be positive, to discard check output use the " +
        "discard_check_output flag",
    ],
    [["-dev", "-encrypt", "zz"], "encrypt has invalid key: illegal base64 data at input byte 0"],
    [
      ["-dev", "-node-meta", "consul-x:y"],
      "node_meta invalid: Couldn't load metadata pair ('consul-x', 'y'): " +
        "Key prefix 'consul-' is reserved for internal use",
    ],
    [["-dev", "-recursor", "0.0.0.0"], "DNS recursor address cannot be 0.0.0.0, :: or [::]"],
    [["-dev", "-segment", "x"], "Network segments are not supported in this version of Consul"],
    [
      ["-dev", "-log-level", "zap"],
      "Invalid log level: zap. Valid log levels are: [TRACE DEBUG INFO WARN ERR ERROR]",
    ],
    [["-dev", "-http-port", "99999"], "1 error occurred:\n\t* ports.http: invalid port: 99999\n\n"],
    [["-dev", "-http-port", "8600"], "HTTP address 127.0.0.1:8600 already configured for DNS"],
    [
      ["-dev", "-node-id", "zz"],
      "failed to setup node ID: specified NodeID is invalid: uuid string is wrong length",
    ],
    [["-dev", "-servers", "0"], "-servers must be at least 1"],
    [["-dev", "-runtime", "deno"], "-runtime must be 'workerd', 'node' or 'miniflare'"],
  ])("%j", (args, expected) => {
    expect(refusal(...args)).toBe(expected);
  });

  test("one expected server is a bootstrap server, also in development", () => {
    const config = load("-server", "-data-dir", lab.directory, "-bootstrap-expect", "1");
    expect(config).toMatchObject({ bootstrap: true, bootstrapExpect: 0, servers: 1 });
    expect(config.warnings).toEqual([
      "BootstrapExpect is set to 1; this is the same as Bootstrap mode.",
      "bootstrap = true: do not enable unless necessary",
      expect.stringMatching(/^without encrypt and server_key the ports 8300 and 8301 trust every/),
    ]);
    expect(load("-dev", "-bootstrap-expect", "1")).toMatchObject({ bootstrap: true, servers: 1 });
  });

  test("a name that DNS cannot ask for is warned about", () => {
    expect(load("-dev", "-node", "a b").warnings).toEqual([
      'Node name "a b" will not be discoverable via DNS due to invalid characters. ' +
        "Valid characters include all alpha-numerics and dashes.",
    ]);
  });

  test("validate reads files without touching the data directory", () => {
    const target = join(lab.directory, "data");
    const path = file("t.json", { data_dir: target });
    expect(validateConfigFiles([path], "", facts)).toEqual([]);
    expect(existsSync(target)).toBe(false);
  });
});

describe("identity", () => {
  test("the node id is kept in the data directory, and with -dev only there", () => {
    const first = load("-data-dir", lab.directory).nodeId;
    expect(first).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(load("-data-dir", lab.directory).nodeId).toBe(first);
    expect(readFileSync(join(lab.directory, "node-id"), "utf8")).toBe(first);
    expect(load("-dev").nodeId).not.toBe(load("-dev").nodeId);
    const given = "6e9810db-b4a6-bc65-ddbe-45a498270557";
    expect(load("-data-dir", lab.directory, "-node-id", given).nodeId).toBe(given);
    expect(load("-data-dir", lab.directory).nodeId).toBe(given);
    file("node-id", "broken");
    expect(refusal("-data-dir", lab.directory)).toContain("NodeID in file is invalid");
  });

  test("secrets stay hidden in what the agent shows of itself", () => {
    const path = file("t.json", { acl: { tokens: { default: "s3cret" } } });
    const { debug, acl } = load("-dev", "-config-file", path);
    expect(acl.tokens.default).toBe("s3cret");
    expect(JSON.stringify(debug)).not.toContain("s3cret");
    expect(debug).toMatchObject({ ACLToken: "hidden", DNSDomain: "consul.", HTTPPort: 8500 });
  });
});
