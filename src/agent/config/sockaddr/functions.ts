// The functions of templates: sources of addresses, filters, orders, and what picks texts out of them. The
// list that a pipe hands on comes as the last argument.

import { compileRegExp } from "../../../core/lib/regexp.ts";
import {
  addressText,
  attribute,
  hasFlags,
  type HostAddress,
  isInNetwork,
  isOfRfc,
  networkOf,
  numberOf,
  prefixOf,
  SockaddrError,
  sorted,
} from "./interfaces.ts";

export type TemplateValue = string | number | readonly HostAddress[];
/** Kinds of arguments, in order; the function is called with exactly these. */
interface Entry {
  takes: readonly ("text" | "integer" | "list")[];
  call: (host: readonly HostAddress[], values: never) => TemplateValue;
}

type Selector = (one: HostAddress, wanted: string) => boolean;

const selectors: Readonly<Record<string, Selector>> = {
  address: ({ address }, wanted) => expression("address", wanted)(address),
  flag: hasFlags,
  flags: hasFlags,
  name: (one, wanted) => expression("name", wanted)(one.interface),
  network: isInNetwork,
  rfc: (one, wanted) => wanted.split("|").some((rfc) => isOfRfc(one, rfc)),
  rfcs: (one, wanted) => wanted.split("|").some((rfc) => isOfRfc(one, rfc)),
  size: (one, wanted) => prefixOf(one) === maskOf(wanted),
  type: isOfType,
};

function isOfType({ family }: HostAddress, wanted: string): boolean {
  const types: Record<string, boolean> = {
    ip: true,
    ipv4: family === "IPv4",
    ipv6: family === "IPv6",
    unix: false,
  };
  const is = types[wanted.toLowerCase()];
  if (is === undefined) {
    const quoted = JSON.stringify(wanted);
    throw new SockaddrError(`unsupported type ${quoted} ${quoted}`);
  }
  return is;
}

function maskOf(text: string): number {
  if (/^\/\d{1,3}$/.test(text)) return Number(text.slice(1));
  throw new SockaddrError(`invalid size argument (${JSON.stringify(text)}): want /BITS`);
}

function expression(what: string, text: string): (value: string) => boolean {
  try {
    return compileRegExp(text);
  } catch (error) {
    const reason = (error as Error).message;
    const quoted = JSON.stringify(text);
    throw new SockaddrError(
      `Unable to compile ${what} regexp ${quoted}: error parsing regexp: ${reason}`,
    );
  }
}

type List = readonly HostAddress[];

function selected(kind: "include" | "exclude"): Entry {
  const call = (_host: List, [selector, wanted, list]: [string, string, List]): List => {
    const select = Object.hasOwn(selectors, selector.toLowerCase())
      ? selectors[selector.toLowerCase()]
      : undefined;
    if (!select) {
      throw new SockaddrError(`invalid ${kind} selector ${JSON.stringify(selector)}`);
    }
    return list.filter((one) => select(one, wanted) === (kind === "include"));
  };
  return { takes: ["text", "text", "list"], call };
}

function privateInterfaces(host: List): List {
  return forwardable(host, true);
}

function forwardable(host: List, isPrivate: boolean): List {
  const list = sorted(host, "default,type,size").filter((one) => hasFlags(one, "forwardable"));
  return list.filter((one) => isOfRfc(one, "6890") === isPrivate);
}

const first = (list: List): string => list[0]?.address ?? "";
const all = (list: List): string => list.map(({ address }) => address).join(" ");

function named(host: List, name: string): List {
  const pattern = expression("name", name);
  return sorted(host, "type,size").filter((one) => pattern(one.interface));
}

/** `name`: to an address of the same interface. */
function moved(list: List, what: string, by: string): List {
  const step = /^[+-]\d{1,38}$/.test(by) ? BigInt(by) : null;
  if (step === null) throw new SockaddrError(`unable to parse ${JSON.stringify(by)} as a step`);
  if (what !== "address" && what !== "network") {
    throw new SockaddrError(`unsupported math operation ${JSON.stringify(what)}`);
  }
  return list.map((one) => {
    if (what === "address") return { ...one, address: addressText(one, numberOf(one) + step) };
    // Below zero counts from the end of the network.
    const size = 1n << BigInt((one.family === "IPv4" ? 32 : 128) - prefixOf(one));
    const place = step < 0n ? size + step : step;
    return { ...one, address: addressText(one, networkOf(one) + place) };
  });
}

const uniques: Readonly<Record<string, (one: HostAddress) => string>> = {
  address: ({ address }) => address,
  name: (one) => one.interface,
};

function unique(list: List, by: string): List {
  const read = Object.hasOwn(uniques, by) ? uniques[by] : undefined;
  if (!read) throw new SockaddrError(`unsupported unique constraint ${JSON.stringify(by)}`);
  return list.filter((one, at) => list.findIndex((other) => read(other) === read(one)) === at);
}

function offset(list: List, count: number): List {
  if (Math.abs(count) <= list.length) return list.slice(count);
  throw new SockaddrError(
    "unable to seek past the end of the interface array: " +
      `offset (${count}) exceeds the number of interfaces (${list.length})`,
  );
}

export const functions: Readonly<Record<string, Entry>> = {
  GetAllInterfaces: { takes: [], call: (host) => host },
  GetDefaultInterfaces: { takes: [], call: (host) => host.filter(({ isDefault }) => isDefault) },
  GetPrivateInterfaces: { takes: [], call: privateInterfaces },
  GetPublicInterfaces: { takes: [], call: (host) => forwardable(host, false) },
  GetPrivateIP: { takes: [], call: (host) => first(privateInterfaces(host)) },
  GetPrivateIPs: { takes: [], call: (host) => all(sorted(privateInterfaces(host), "type,size")) },
  GetPublicIP: { takes: [], call: (host) => first(forwardable(host, false)) },
  GetPublicIPs: { takes: [], call: (host) => all(sorted(forwardable(host, false), "type,size")) },
  GetInterfaceIP: {
    takes: ["text"],
    call: (host, [name]: [string]) =>
      first(named(host, name).filter((one) => hasFlags(one, "forwardable"))),
  },
  GetInterfaceIPs: { takes: ["text"], call: (host, [name]: [string]) => all(named(host, name)) },
  attr: {
    takes: ["text", "list"],
    call: (_host, [name, [one]]: [string, List]) => (one ? attribute(one, name) : ""),
  },
  exclude: selected("exclude"),
  include: selected("include"),
  join: {
    takes: ["text", "text", "list"],
    call: (_host, [name, glue, list]: [string, string, List]) =>
      list.map((one) => attribute(one, name)).join(glue),
  },
  limit: {
    takes: ["integer", "list"],
    call: (_host, [count, list]: [number, List]) => list.slice(0, Math.max(0, count)),
  },
  math: {
    takes: ["text", "text", "list"],
    call: (_host, [what, by, list]: [string, string, List]) => moved(list, what, by),
  },
  offset: {
    takes: ["integer", "list"],
    call: (_host, [count, list]: [number, List]) => offset(list, count),
  },
  sort: {
    takes: ["text", "list"],
    call: (_host, [by, list]: [string, List]) => sorted(list, by),
  },
  unique: {
    takes: ["text", "list"],
    call: (_host, [by, list]: [string, List]) => unique(list, by),
  },
};
