import { LocalServices } from "../../src/core/agent/local-services.ts";
import type { LocalAgentState } from "../../src/core/agent/local-state.ts";
import { eventMoved } from "../../src/agent/event-wait.ts";
import { UserEvents } from "../../src/core/gossip/user-events.ts";
import { ServiceError } from "../../src/core/model/errors.ts";
import type {
  EventWait,
  KeyAnswer,
  KeyCommand,
  Keyring,
  LocalAgent,
  LogRequest,
  MaintenanceRequest,
  Member,
} from "../../src/ports/local-agent.ts";
import { withoutKeys } from "../../src/members.ts";
import { startMs, testNode } from "../core/agent/support.ts";

const member: Member = {
  Name: "host1",
  Addr: "10.0.0.1",
  Port: 8301,
  Tags: { role: "node" },
  Status: 1,
  ProtocolMin: 1,
  ProtocolMax: 5,
  ProtocolCur: 2,
  DelegateMin: 2,
  DelegateMax: 5,
  DelegateCur: 4,
};

/** The smallest agent: local state and nothing around it. */
export class MemoryAgent implements LocalAgent {
  readonly local: LocalServices;
  /** What was asked of it that has no other effect. */
  readonly calls: unknown[] = [];
  prometheus: string | null = null;
  lines: string[] = [];
  /** What nodes answer about their gossip keys; absent: they have none. Null: nothing. */
  keys: Record<string, KeyAnswer | null> = {};
  readonly heard: UserEvents;

  constructor(state: LocalAgentState) {
    this.local = new LocalServices(state, () => startMs);
    this.heard = new UserEvents({ nodeName: testNode.name, services: () => this.local.services() });
  }

  self = async () => ({
    Config: {
      Datacenter: "dc1",
      NodeName: testNode.name,
      NodeID: testNode.id,
      Revision: "",
      Server: false,
      Version: "1.8.7",
    },
    DebugConfig: {},
    Coord: { Vec: [0], Error: 1.5, Adjustment: 0, Height: 1e-5 },
    Member: member,
    Stats: {},
    Meta: {},
  });

  members = async () => [member];
  host = async () => ({ Memory: {} });
  metrics = async () => ({ Timestamp: "", Gauges: [], Points: [], Counters: [], Samples: [] });
  events = async () => ({ events: this.heard.list, newest: this.heard.list.at(-1)?.ID ?? "" });
  eventsMoved = (wait: EventWait) => eventMoved(this.heard, wait);
  keyring = async (_access: "read" | "write", command: KeyCommand): Promise<Keyring> => {
    this.calls.push(command);
    const nodes = ["a", "b"].map((name) => {
      const answer = this.keys[name];
      return {
        name,
        isServer: name === "a",
        answer: answer === undefined ? withoutKeys(command) : answer,
      };
    });
    return { datacenter: "dc1", nodes };
  };
  prometheusMetrics = async () => this.prometheus;

  async *logs({ level, json }: LogRequest): AsyncIterable<string> {
    this.calls.push({ level, json });
    yield* this.lines;
  }

  services = async () => this.local.services();
  service = async (id: string, wait?: object) => {
    if (wait) this.calls.push(wait);
    return this.local.service(id);
  };
  checks = async () => this.local.checks();
  serviceHealth = async (id: string) => this.local.serviceHealth(id);
  serviceHealthByName = async (name: string) => this.local.serviceHealthByName(name);

  registerService = async (
    body: string,
    options: { token?: string; replaceExistingChecks: boolean },
  ) => this.local.registerService(body, options);
  deregisterService = async (id: string) => this.local.deregisterService(id);
  registerCheck = async (body: string, options: { token?: string }) =>
    this.local.registerCheck(body, options);
  deregisterCheck = async (id: string) => this.local.deregisterCheck(id);
  updateCheck = async (id: string, status: "passing" | "warning" | "critical", output: string) =>
    this.local.updateCheck(id, status, output);
  serviceMaintenance = async (id: string, { enable, reason }: MaintenanceRequest) =>
    this.local.serviceMaintenance(id, enable, reason);
  nodeMaintenance = async ({ enable, reason }: MaintenanceRequest) =>
    this.local.nodeMaintenance(enable, reason);

  join = async (address: string, options: object) => void this.calls.push({ address, ...options });
  leave = async () => void this.calls.push("leave");
  forceLeave = async (node: string, options: object) => void this.calls.push({ node, ...options });
  reload = async () => void this.calls.push("reload");
  setToken = async (): Promise<void> => {
    throw new ServiceError("acl-disabled", "ACL support disabled");
  };
}
