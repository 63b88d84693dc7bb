import { describe, expect, test } from "vitest";
import { decodeCheck, decodeService } from "../../../src/core/agent/decode.ts";
import { checkType } from "../../../src/core/agent/definitions.ts";
import { validateCheck, validateService } from "../../../src/core/agent/validate.ts";
import { ServiceError } from "../../../src/core/model/errors.ts";

function refusal(run: () => void): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ServiceError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "accepted";
}

const text = (body: string | object): string =>
  typeof body === "string" ? body : JSON.stringify(body);
const service = (body: string | object): string =>
  refusal(() => validateService(decodeService(text(body))));
const check = (body: string | object): string =>
  refusal(() => validateCheck(decodeCheck(text(body))));

test("thresholds are read in both spellings, as Consul does since 1.11", () => {
  for (const names of [
    { FailuresBeforeCritical: 3, SuccessBeforePassing: 2 },
    { failures_before_critical: 3, success_before_passing: 2 },
  ]) {
    const thresholds = { failuresBeforeCritical: 3, successBeforePassing: 2 };
    const probe = { HTTP: "http://127.0.0.1:1/", Interval: "30s", ...names };
    expect(decodeCheck(text({ Name: "c", ...probe }))).toMatchObject(thresholds);
    const { checks } = decodeService(text({ Name: "s", Checks: [{ Name: "c", ...probe }] }));
    expect(checks).toMatchObject([thresholds]);
  }
});

/** Texts recorded from Consul 1.8.7. */
describe("service definitions are refused in Consul's words", () => {
  test.each<[string | object, string]>([
    ["", "Request decode failed: EOF"],
    ["{", "Request decode failed: unexpected EOF"],
    ["null", "Missing service name"],
    [{}, "Missing service name"],
    [{ Name: "a", Foo: 1 }, 'Request decode failed: json: unknown field "Foo"'],
    [{ Name: "a", Proxy: { Foo: 1 } }, 'Request decode failed: json: unknown field "Foo"'],
    [{ Name: "a", Check: { Zap: 1 } }, 'Request decode failed: json: unknown field "Zap"'],
    [
      { Name: "a", Port: "80" },
      "Request decode failed: json: cannot unmarshal string into Go struct field .Port of type int",
    ],
    [
      { Name: "a", Meta: { a: 3 } },
      "Request decode failed: json: cannot unmarshal number into " +
        "Go struct field .Meta of type string",
    ],
    [{ Name: "a", Check: { TTL: "abc" } }, 'Request decode failed: time: invalid duration "abc"'],
    [{ Name: "a", Address: "0.0.0.0" }, "Invalid service address"],
    [{ Name: "a", Address: "[::]" }, "Invalid service address"],
    [
      { Name: "a", Weights: { Passing: 0, Warning: 0 } },
      "Invalid Weights: Passing must be greater than 0",
    ],
    [
      { Name: "a", Weights: { Passing: 1, Warning: -1 } },
      "Invalid Weights: Warning must be greater or equal than 0",
    ],
    [
      { Name: "a", Weights: { Passing: 70_000, Warning: 1 } },
      "Invalid Weights: DNS Weight must be between 0 and 65535",
    ],
    [
      { Name: "a", Meta: { "a b": "c" } },
      "Invalid Service Meta: Couldn't load metadata pair ('a b', 'c'): " +
        "Key contains invalid characters",
    ],
    [
      { Name: "a", Kind: "connect-proxy" },
      "2 errors occurred:\n\t* Proxy.DestinationServiceName must be non-empty for Connect proxy " +
        "services\n\t* Port must be set for a Connect proxy\n\n",
    ],
    [
      { Name: "m", Kind: "mesh-gateway" },
      "1 error occurred:\n\t* Port must be non-zero for a mesh-gateway\n\n",
    ],
    [
      { Name: "a", Connect: { SidecarService: { ID: "x" } } },
      "1 error occurred:\n" +
        "\t* A SidecarService cannot specify an ID as this is managed by the agent\n\n",
    ],
    [
      { Name: "a", Connect: { SidecarService: { Connect: { SidecarService: {} } } } },
      "1 error occurred:\n\t* A SidecarService cannot have a nested SidecarService\n\n",
    ],
    [
      { Name: "a", Check: { HTTP: "http://x" } },
      "Invalid check: Interval must be > 0 for Script, HTTP, or TCP checks",
    ],
    [{ Name: "a", Checks: [{}] }, "Invalid check: TTL must be > 0 for TTL checks"],
    [
      { Name: "a", Check: { TTL: "1s", Interval: "1s" } },
      "Invalid check: Interval and TTL cannot both be specified",
    ],
    [
      { Name: "a", Check: { TTL: "1s", Status: "zap" } },
      "Status for checks must 'passing', 'warning', 'critical'",
    ],
  ])("%j", (body, expected) => {
    expect(service(body)).toBe(`malformed: ${expected}`);
  });

  test("what only the server half of the register call notices is a 500", () => {
    const tagged = { Name: "a", TaggedAddresses: { lan_ipv4: { Address: "zz", Port: 1 } } };
    expect(service(tagged)).toBe(
      'invalid: Service tagged address "lan_ipv4" must be a valid ipv4 address',
    );
    const sidecar = { Name: "a", Connect: { SidecarService: { Checks: [{}] } } };
    expect(service(sidecar)).toBe(
      "invalid: Bad request: Invalid check in sidecar_service: TTL must be > 0 for TTL checks",
    );
  });

  test("upstreams of a proxy are checked one by one", () => {
    const upstreams = [
      { DestinationName: "x" },
      { DestinationName: "", LocalBindPort: 3 },
      { DestinationName: "z", LocalBindPort: 3, DestinationType: "zap" },
    ];
    const body = {
      Name: "w",
      Kind: "connect-proxy",
      Port: 2,
      Connect: { Native: true },
      Proxy: { DestinationServiceName: "x", Upstreams: upstreams },
    };
    expect(service(body)).toBe(
      "malformed: 4 errors occurred:\n" +
        "\t* A Proxy cannot also be Connect Native, only typical services\n" +
        "\t* upstream local bind port cannot be zero\n" +
        "\t* upstream destination name cannot be empty\n" +
        '\t* unknown upstream destination type: "zap"\n\n',
    );
  });
});

describe("check definitions are refused in Consul's words", () => {
  test.each<[object, string]>([
    [{ TTL: "15s" }, "Missing check name"],
    [{ Name: "z" }, "Invalid check: TTL must be > 0 for TTL checks"],
    [{ Name: "z", TTL: "-5s" }, "Invalid check: TTL must be > 0 for TTL checks"],
    [{ Name: "z", TTL: true }, "Invalid check: TTL must be > 0 for TTL checks"],
    [{ Name: "z", TTL: "1s", Status: "bad" }, "Bad check status"],
    [
      { Name: "z", AliasService: "x", TTL: "5s" },
      "Invalid check: TTL must be not be set for Alias checks",
    ],
    [
      { Name: "z", HTTP: "http://x", Interval: "5s", OutputMaxSize: -1 },
      "Invalid check: MaxOutputMaxSize must be positive",
    ],
    [
      { CheckID: "c", Name: "z", TTL: "5s" },
      'Request decode failed: json: unknown field "CheckID"',
    ],
  ])("%j", (body, expected) => {
    expect(check(body)).toBe(`malformed: ${expected}`);
  });
});

describe("spellings", () => {
  test("names match in any case, and some also in snake_case", () => {
    const { service: decoded, checks } = decodeService(
      text({
        name: "w",
        enable_tag_override: true,
        tagged_addresses: { lan: { address: "10.0.0.9", port: 3 } },
        check: { http: "http://x", interval: "5s", deregister_critical_service_after: "90m" },
        proxy: {
          destination_service_name: "d",
          upstreams: [{ destination_name: "u", local_bind_port: 5 }],
        },
      }),
    );
    expect(decoded).toMatchObject({ Service: "w", EnableTagOverride: true });
    expect(decoded.TaggedAddresses).toEqual({ lan: { Address: "10.0.0.9", Port: 3 } });
    expect(checks[0]).toMatchObject({ intervalMs: 5_000, deregisterAfterMs: 5_400_000 });
    expect(decoded.Proxy.DestinationServiceName).toBe("d");
    expect(decoded.Proxy.Upstreams?.[0]).toMatchObject({ DestinationName: "u", LocalBindPort: 5 });
    expect(Object.keys(decoded.Proxy)).not.toContain("destination_service_name");
  });

  test("a duration may be a number of nanoseconds; what follows the body does not matter", () => {
    expect(decodeCheck('{"Name":"x","TTL":5000000000} trailing').ttlMs).toBe(5_000);
  });

  test("the first of several ways to check wins", () => {
    const both = decodeCheck(text({ Name: "x", GRPC: "a:1", HTTP: "http://x", Interval: "1s" }));
    expect(checkType(both)).toBe("grpc");
    expect(checkType(decodeCheck(text({ Name: "x", script_args: ["true"] })))).toBe("script");
  });
});
