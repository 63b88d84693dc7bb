// Templates of addresses: recorded from Consul 1.8.7 on a host with these interfaces, where its answer does not hang on
// chance (its sort is not stable, so lists in which several are equal are left out).

import { describe, expect, test } from "vitest";
import { expandAddresses } from "../../src/agent/config/addresses.ts";
import { loadAgentConfig } from "../../src/agent/config/load.ts";
import type { HostAddress } from "../../src/agent/config/sockaddr/interfaces.ts";

function one(name: string, address: string, bits: number): HostAddress {
  const family = address.includes(":") ? "IPv6" : "IPv4";
  return { interface: name, address, family, bits, isDefault: name === "eth0" };
}

const host = [
  one("lo", "127.0.0.1", 8),
  one("lo", "::1", 128),
  one("eth0", "10.1.2.3", 24),
  one("eth0", "10.1.2.4", 24),
  one("eth0", "fd00::5", 64),
  one("eth0", "fe80::1", 64),
  one("eth1", "192.168.5.6", 16),
  one("pub0", "203.0.113.9", 24),
  one("pub0", "8.8.4.4", 24),
  one("pub0", "2a00:1450::1", 64),
  one("pub0", "2001:db8::1", 64),
];

const expand = (text: string): string => expandAddresses("client_addr", text, host).join(" ");

function refusal(text: string): string {
  try {
    return expand(text);
  } catch (error) {
    return (error as Error).message;
  }
}

describe("templates", () => {
  test.each([
    ["{{ GetPrivateIP }}", "10.1.2.3"],
    ["{{ GetPrivateIPs }}", "192.168.5.6 10.1.2.3 10.1.2.4 fd00::5"],
    ["{{ GetPublicIP }}", "8.8.4.4"],
    ["{{ GetPublicIPs }}", "8.8.4.4 2a00:1450::1"],
    ['{{ GetInterfaceIP "eth0" }}', "10.1.2.3"],
    ["{{ GetInterfaceIP `eth0` }}", "10.1.2.3"],
    ['{{ GetInterfaceIP "eth.*" }}', "192.168.5.6"],
    ['{{ GetInterfaceIP "nope" }}', ""],
    ['{{ GetInterfaceIPs "eth0" }}', "10.1.2.3 10.1.2.4 fd00::5 fe80::1"],
    ['{{ GetPrivateInterfaces | join "address" " " }}', "10.1.2.3 10.1.2.4 fd00::5 192.168.5.6"],
    ['{{ GetDefaultInterfaces | attr "address" }}', "10.1.2.3"],
    ['{{ GetAllInterfaces | include "network" "10.0.0.0/8" | attr "address" }}', "10.1.2.3"],
    [
      '{{ GetAllInterfaces | include "rfc" "1918" | join "address" " " }}',
      "10.1.2.3 10.1.2.4 192.168.5.6",
    ],
    ['{{ GetAllInterfaces | include "address" "10.1" | join "address" " " }}', "10.1.2.3 10.1.2.4"],
    [
      '{{ GetAllInterfaces | include "name" "^(eth|pub)" | exclude "rfc" "6890" | join "address" " " }}',
      "8.8.4.4 2a00:1450::1",
    ],
    [
      '{{ GetAllInterfaces | exclude "name" "docker.*" | include "flags" "forwardable|up" | ' +
        'include "type" "IPv4" | sort "size" | attr "address" }}',
      "127.0.0.1",
    ],
    [
      '{{ GetAllInterfaces | include "flags" "up|loopback" | join "address" " " }}',
      "127.0.0.1 ::1",
    ],
    ['{{ GetAllInterfaces | limit 2 | join "address" " " }}', "127.0.0.1 ::1"],
    ['{{ GetAllInterfaces | offset -2 | join "address" " " }}', "2a00:1450::1 2001:db8::1"],
    ['{{ GetPrivateInterfaces | unique "name" | join "address" " " }}', "10.1.2.3 192.168.5.6"],
    [
      '{{ GetPrivateInterfaces | math "address" "+5" | join "address" " " }}',
      "10.1.2.8 10.1.2.9 fd00::a 192.168.5.11",
    ],
    ['{{ GetPrivateInterfaces | math "network" "-1" | attr "address" }}', "10.1.2.255"],
    ['{{ GetPrivateInterfaces | attr "network" }}', "10.1.2.0"],
    ['{{ GetPrivateInterfaces | attr "netmask" }}', "255.255.255.0"],
    ['{{ GetPrivateInterfaces | attr "first_usable" }}', "10.1.2.1"],
    ['{{ GetPrivateInterfaces | attr "last_usable" }}', "10.1.2.254"],
    ['{{ (GetPrivateInterfaces | attr "address") }}', "10.1.2.3"],
    ["{{- GetPrivateIP -}}", "10.1.2.3"],
    ["{{/* comment */}}127.0.0.1", "127.0.0.1"],
    ['{{ "127.0.0.1" }}', "127.0.0.1"],
    ['{{ GetPrivateIP }} {{ GetInterfaceIP "eth1" }} 127.0.0.1', "10.1.2.3 192.168.5.6 127.0.0.1"],
  ])("%s is %s", (text, addresses) => {
    expect(expand(text)).toBe(addresses);
  });

  const parsed = 'unable to parse template "X": template: sockaddr.Parse:1: ';
  const executed = 'unable to execute sockaddr input "X": template: sockaddr.Parse:1:';
  test.each([
    ["{{ GetFoo }}", `${parsed}function "GetFoo" not defined`],
    ["{{ GetPrivateIP", `${parsed}unclosed action`],
    ["{{ if true }}1{{ end }}", `${parsed}function "if" not defined`],
    [
      '{{ GetAllInterfaces | sort "foo" | join "address" " " }}',
      `${executed}22: executing "sockaddr.Parse" at <sort "foo">: error calling sort: unknown sort type: "foo"`,
    ],
    [
      '{{ GetPrivateInterfaces | attr "foo" }}',
      `${executed}26: executing "sockaddr.Parse" at <attr "foo">: error calling attr: unsupported attribute name "foo"`,
    ],
    [
      '{{ GetPrivateInterfaces | join "address" }}',
      `${executed}26: executing "sockaddr.Parse" at <join>: wrong number of args for join: want 3 got 2`,
    ],
    [
      '{{ GetAllInterfaces | include "rfc" "99999" | attr "address" }}',
      `${executed}22: executing "sockaddr.Parse" at <include "rfc" "99999">: error calling ` +
        `include: unable to lookup RFC number "99999": unsupported RFC 99999`,
    ],
    [
      '{{ GetAllInterfaces | include "flags" "x" | attr "address" }}',
      `${executed}22: executing "sockaddr.Parse" at <include "flags" "x">: error calling ` +
        `include: Unknown interface flag: "x"`,
    ],
  ])("%s is refused", (text, reason) => {
    const quoted = JSON.stringify(text);
    const said = `client_addr: error parsing ${quoted}: ${reason.replace('"X"', quoted)}`;
    expect(refusal(text)).toBe(`1 error occurred:\n\t* ${said}\n\n`);
  });

  test.each([
    `{{ ${"(".repeat(5_000)}`,
    `{{ ${"(".repeat(100)}`,
    "{{ | }}",
    "{{ }}",
    "{{ 'a' }}",
    '{{ "a }}',
  ])("%s ends with a reason", (text) => {
    expect(refusal(text)).toContain("unable to parse template");
  });
});

test.each([
  ["bind_addr", "unix:///x", "bind_addr cannot be a unix socket"],
  ["bind_addr", '{{ GetInterfaceIP \\"nope\\" }}', "bind_addr cannot be empty"],
  ["client_addr", "unix:///x", "client_addr cannot be a unix socket"],
  [
    "advertise_addr",
    "1.1.1.1 2.2.2.2",
    "advertise_addr: multiple addresses found: 1.1.1.1 2.2.2.2",
  ],
  ["advertise_addr_wan", "unix:///x", "advertise_addr_wan cannot be a unix socket"],
  ["advertise_addr_ipv4", "::1", "advertise_addr_ipv4 must be an ipv4 address"],
  ["advertise_addr_ipv6", "1.1.1.1", "advertise_addr_ipv6 must be an ipv6 address"],
  ["advertise_addr", "foo", "advertise_addr: invalid ip address: foo"],
])("%s cannot be %s", (key, value, said) => {
  const facts = { hostName: "host1", addresses: host };
  const load = (): unknown => loadAgentConfig(["-dev", "-hcl", `${key} = "${value}"`], facts);
  expect(load).toThrow(said);
});
