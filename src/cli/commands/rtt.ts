// `rtt`: how long a message takes between two nodes and back, by their coordinates.

import { type Coordinate, roundTripNs } from "../../core/model/coordinate.ts";
import type { Api } from "../api.ts";
import { misused } from "../arguments.ts";
import { command, Failure, failing } from "../command.ts";
import { switchFlag } from "../flags.ts";

interface Located {
  Node: string;
  Segment: string;
  Coord: Coordinate;
}

interface Area {
  AreaID: string;
  Datacenter: string;
  Coordinates: Located[];
}

interface Self {
  Config: { NodeName: string; Datacenter: string };
}

const nanosecondsPerMs = 1e6;

export default command({
  usage: ["rtt [options] node1 [node2]"],
  about: `
Estimates the round trip between two nodes, or between a node and the agent's own, by the coordinates
that gossip keeps. With -wan the nodes are servers, as "name.datacenter".`,
  asks: "agent",
  flags: { wan: switchFlag("Use the coordinates of servers between datacenters.") },
  async run(call) {
    const { api, args, flags, print } = call;
    const [from, given, ...more] = args;
    if (from === undefined || more.length > 0) {
      throw misused(call, "One or two node names must be specified");
    }
    const find = flags.wan ? wanCoordinates : lanCoordinates;
    const to = given ?? (await ownName(api, flags.wan));
    const [a, b] = await find(api, from, to);
    if (!a) throw new Failure(`Could not find a coordinate for node "${from}"`);
    if (!b) throw new Failure(`Could not find a coordinate for node "${to}"`);
    const time = (roundTripNs(a, b) / nanosecondsPerMs).toFixed(3);
    const source = flags.wan ? "WAN" : "LAN";
    print(`Estimated ${from} <-> ${to} rtt: ${time} ms (using ${source} coordinates)`);
  },
});

type Pair = [Coordinate | undefined, Coordinate | undefined];

async function ownName(api: Api, isWan: boolean): Promise<string> {
  const answer = await api.get("/v1/agent/self").catch(failing("Unable to look up agent info"));
  const { NodeName: name, Datacenter: datacenter } = answer.json<Self>().Config;
  return isWan ? `${name}.${datacenter}` : name;
}

async function lanCoordinates(api: Api, from: string, to: string): Promise<Pair> {
  const answer = await api.get("/v1/coordinate/nodes").catch(failing("Error getting coordinates"));
  const nodes = answer.json<Located[]>();
  const of = (name: string): Located[] => nodes.filter(({ Node }) => Node === name);
  const [first] = of(from).flatMap((a) =>
    of(to)
      .filter((b) => a.Segment === b.Segment)
      .map((b): Pair => [a.Coord, b.Coord]),
  );
  return first ?? [of(from)[0]?.Coord, of(to)[0]?.Coord];
}

/** Both in the same area, because coordinates of two areas have nothing to do with each other. */
async function wanCoordinates(api: Api, from: string, to: string): Promise<Pair> {
  const parts = [from, to].map((name) => name.split("."));
  if (parts.some(({ length }) => length !== 2)) {
    throw new Failure("Node names must be specified as <node name>.<datacenter> with -wan");
  }
  const answer = await api
    .get("/v1/coordinate/datacenters")
    .catch(failing("Error getting coordinates"));
  const areas = answer.json<Area[]>();
  for (const id of new Set(areas.map(({ AreaID }) => AreaID))) {
    const [a, b] = parts.map(([node, datacenter]) =>
      areas
        .filter((area) => area.AreaID === id && area.Datacenter === datacenter)
        .flatMap(({ Coordinates }) => Coordinates)
        .find(({ Node }) => Node === node),
    );
    if (a && b) return [a.Coord, b.Coord];
  }
  return [undefined, undefined];
}
