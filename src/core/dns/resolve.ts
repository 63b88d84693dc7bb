// Name and view to answer: Consul's DNS rules as a generator that yields what it needs to know (needs.ts).

import type { Random } from "../lib/random.ts";
import { parseDurationMs } from "../model/duration.ts";
import type { CheckServiceNode } from "../model/types.ts";
import { familyOf } from "./address.ts";
import { apexAnswer, soaRecord } from "./apex.ts";
import type { ResolveContext } from "./context.ts";
import { type Lookup, parseName, zoneOf } from "./name.ts";
import type { Found, Need, Resolution } from "./needs.ts";
import { nodeRecords } from "./node-records.ts";
import { type Answer, type DnsRecord, emptyAnswer, ttlSeconds } from "./records.ts";
import {
  addressRecords,
  healthyInstances,
  serverRecords,
  type ServiceRecords,
} from "./service-records.ts";
import { type DnsSettings, serviceTtlMs } from "./settings.ts";

/** Names under the zone that answers point to are followed this deep. */
const recursionMax = 3;
/** Records of a CNAME's or SRV's host that are added, unless the client speaks EDNS. */
const hostRecordsMax = 5;

export interface Question {
  name: string;
  /** Upper case: A, SRV, ANY, … */
  type: string;
}

export function* resolve(question: Question, context: ResolveContext, depth = 0): Resolution {
  const { settings } = context;
  const { name, type } = question;
  const lookup = parseName(name, type, settings);
  if (lookup.kind === "foreign") return { ...emptyAnswer("REFUSED"), authoritative: false };
  if (lookup.kind === "reverse") return yield* reverse(name, lookup.address, context);
  if (type === "AXFR") return emptyAnswer("NOTIMP");
  if (type === "SOA" || type === "NS") return yield* apexAnswer(type, name, context);
  if (lookup.kind === "node") return yield* node(question, lookup, context, depth);
  if (lookup.kind === "service") return yield* service(question, lookup, context, depth);
  if (lookup.kind === "query") return yield* query(question, lookup, context, depth);
  if (lookup.kind === "addr") return address(question, lookup.address, settings);
  return negative("NXDOMAIN", name, context);
}

function negative(rcode: "NXDOMAIN" | "NOERROR", name: string, context: ResolveContext): Answer {
  return { ...emptyAnswer(rcode), authorities: [soaRecord(name, context)] };
}

function failed(failure: "absent" | "unreachable", name: string, context: ResolveContext): Answer {
  return failure === "absent" ? negative("NXDOMAIN", name, context) : emptyAnswer("SERVFAIL");
}

function* node(
  { name, type }: Question,
  { node, datacenter }: Extract<Lookup, { kind: "node" }>,
  context: ResolveContext,
  depth: number,
): Resolution {
  const found = yield { need: "node", node, datacenter };
  if ("failure" in found) return failed(found.failure, name, context);
  if (!("node" in found) || found.node === null) return negative("NXDOMAIN", name, context);
  const { answers, additionals, host } = nodeRecords(name, type, found.node, context.settings);
  const ttl = ttlSeconds(context.settings.nodeTtlMs);
  const followed = host === null ? [] : yield* hostRecords(host, ttl, context, depth);
  return { ...emptyAnswer("NOERROR"), answers: [...answers, ...followed], additionals };
}

function* service(
  question: Question,
  lookup: Extract<Lookup, { kind: "service" }>,
  context: ResolveContext,
  depth: number,
): Resolution {
  const { kind: _kind, ...wanted } = lookup;
  const need: Need = { need: "service", ...wanted };
  const found = yield need;
  if ("failure" in found) return failed(found.failure, question.name, context);
  const instances = "instances" in found ? found.instances : [];
  const healthy = healthyInstances(instances, context.settings.onlyPassing);
  if (healthy.length === 0) return negative("NXDOMAIN", question.name, context);
  shuffle(healthy, context.random);
  const { datacenter } = lookup;
  const ttlMs = serviceTtlMs(context.settings, lookup.service);
  return yield* instanceAnswer(question, healthy, { ttlMs, datacenter, context, depth });
}

/** In the order that the query has decided, which may depend on the client. */
function* query(
  question: Question,
  { query, datacenter }: Extract<Lookup, { kind: "query" }>,
  context: ResolveContext,
  depth: number,
): Resolution {
  const { settings, random, clientAddress: ip } = context;
  const seed = random.integer(0, 2 ** 32);
  const found = yield { need: "query", query, datacenter, ip, seed };
  if ("failure" in found) return failed(found.failure, question.name, context);
  const executed = "executed" in found ? found.executed : null;
  if (!executed || executed.instances.length === 0) {
    return negative("NXDOMAIN", question.name, context);
  }
  const { ttl, service, instances } = executed;
  const ttlMs = ttl === "" ? serviceTtlMs(settings, service) : parseDurationMs(ttl);
  const place = { ttlMs, datacenter: executed.datacenter, context, depth };
  return { ...(yield* instanceAnswer(question, instances, place)), forClient: true };
}

interface Place {
  ttlMs: number;
  datacenter: string;
  context: ResolveContext;
  depth: number;
}

function* instanceAnswer(
  question: Question,
  instances: readonly CheckServiceNode[],
  { ttlMs, datacenter, context, depth }: Place,
): Resolution {
  const { settings } = context;
  const records = serviceRecords(question, instances, { settings, ttlMs, datacenter });
  const answer = yield* withHosts(question, records, { ttl: ttlSeconds(ttlMs), context, depth });
  return answer.answers.length === 0 ? negative("NOERROR", question.name, context) : answer;
}

function serviceRecords(
  { name, type }: Question,
  instances: readonly CheckServiceNode[],
  { settings, ttlMs, datacenter }: { settings: DnsSettings; ttlMs: number; datacenter: string },
): ServiceRecords {
  if (type === "SRV") return serverRecords(name, instances, { settings, ttlMs, datacenter });
  if (type === "A" || type === "AAAA") {
    return addressRecords(name, type, instances, { settings, ttlMs });
  }
  // Consul answers a TXT question about a service with its addresses.
  if (type === "ANY" || type === "TXT") {
    return addressRecords(name, "ANY", instances, { settings, ttlMs });
  }
  const { hosts } = addressRecords(name, "ANY", instances, { settings, ttlMs });
  return { answers: [], additionals: [], hosts };
}

/** Instances that are host names: a CNAME when nothing plainer is there, and what is known of the host. */
function* withHosts(
  { name, type }: Question,
  records: ServiceRecords,
  from: { ttl: number; context: ResolveContext; depth: number },
): Resolution {
  const { ttl, context, depth } = from;
  const answer = { ...emptyAnswer("NOERROR"), ...plain(records) };
  if (type === "SRV") {
    for (const { owner, target, texts } of records.hosts) {
      const followed = yield* instanceHostRecords(target, ttl, context, depth);
      answer.additionals.push(
        ...followed.map((record) => ({ ...record, name: record.name || owner })),
        ...texts,
      );
    }
    return answer;
  }
  const [first] = records.hosts;
  if (answer.answers.length > 0 || !first) return answer;
  const target = first.target.replace(/\.$/, "");
  const followed = yield* instanceHostRecords(target, ttl, context, depth);
  answer.answers.push({ name, type: "CNAME", ttl, data: target }, ...followed);
  return answer;
}

function plain({ answers, additionals }: ServiceRecords): Pick<Answer, "answers" | "additionals"> {
  return { answers, additionals };
}

/** What is known about a host name: by ourselves when it lies in a zone, else by a recursor. */
function* hostRecords(
  host: string,
  ttl: number,
  context: ResolveContext,
  depth: number,
): Generator<Need, DnsRecord[], Found> {
  if (zoneOf(host, context.settings) !== null) {
    if (depth >= recursionMax) return [];
    const inner = yield* resolve({ name: host, type: "ANY" }, context, depth + 1);
    return inner.answers.filter(({ type }) => type === "A" || type === "AAAA" || type === "CNAME");
  }
  const found = yield { need: "host", name: host };
  const records = "records" in found ? found.records : [];
  const limited = context.edns ? records : records.slice(0, hostRecordsMax);
  return limited.map((record) => ({ ...record, ttl }));
}

/** The same with the instance's TTL, and no more of them than Consul gives. */
function* instanceHostRecords(
  host: string,
  ttl: number,
  context: ResolveContext,
  depth: number,
): Generator<Need, DnsRecord[], Found> {
  const records = yield* hostRecords(host, ttl, context, depth);
  const limited = context.edns ? records : records.slice(0, hostRecordsMax);
  return limited.map((record) => ({ ...record, ttl }));
}

/** Of another type than was asked, the address goes beside the answer, as Consul does it since 1.11. */
function address(
  { name, type: asked }: Question,
  value: string | null,
  settings: DnsSettings,
): Answer {
  const family = value === null ? null : familyOf(value);
  if (value === null || family === null) return emptyAnswer("NOERROR");
  const ttl = ttlSeconds(settings.nodeTtlMs);
  const type = family === "ipv4" ? "A" : "AAAA";
  // The only answers that do not repeat the name as it was asked.
  const record: DnsRecord = { name: name.toLowerCase(), type, ttl, data: value };
  const isAsked = asked === type || asked === "ANY";
  return { ...emptyAnswer("NOERROR"), [isAsked ? "answers" : "additionals"]: [record] };
}

function* reverse(name: string, value: string | null, context: ResolveContext): Resolution {
  const { datacenter, domain } = context.settings;
  const found = value === null ? null : yield { need: "reverse", address: value };
  if (found && "failure" in found) return emptyAnswer("SERVFAIL");
  const owner = found && "reverse" in found ? found.reverse : null;
  const kind = owner?.node === undefined ? "service" : "node";
  const target = owner?.node ?? owner?.service;
  if (target === undefined) {
    return { ...emptyAnswer("SERVFAIL"), authoritative: false, recursionAvailable: true };
  }
  const data = `${target}.${kind}.${datacenter}.${domain}`;
  return { ...emptyAnswer("NOERROR"), answers: [{ name, type: "PTR", ttl: 0, data }] };
}

function shuffle(list: unknown[], random: Random): void {
  for (let at = list.length - 1; at > 0; at--) {
    const other = random.integer(0, at + 1);
    [list[at], list[other]] = [list[other], list[at]];
  }
}
