// `cost`, beyond Consul: what a deployment has cost this month.

import { columns } from "../columns.ts";
import { command, failing } from "../command.ts";
import { textFlag } from "../flags.ts";

interface Cost {
  Month: string;
  DollarsGross: number;
  DollarsBilled: number;
  Objects: {
    Name: string;
    Requests: number;
    Messages: number;
    BusySeconds: number;
    RowsWritten: number;
    DollarsGross: number;
  }[];
}

export default command({
  usage: ["cost [options]"],
  about: `
Shows what a deployment on Cloudflare has cost in a month, so far, by prices that include nothing, and what the bill
will say if the account does nothing else. Ask the registry itself, by -http-addr; numbers are sampled, and small ones
rough.`,
  asks: "agent",
  flags: {
    month: textFlag("The month, as 2026-11, in UTC; without it, this one."),
  },
  async run({ api, flags, print }) {
    const query = flags.month === "" ? {} : { month: flags.month };
    const answer = await api
      .get("/v1/operator/cost", { query })
      .catch(failing("Error getting costs"));
    const cost = answer.json<Cost>();
    const rows = cost.Objects.map((each) => [
      each.Name,
      String(each.Requests),
      String(each.Messages),
      each.BusySeconds.toFixed(1),
      String(each.RowsWritten),
      each.DollarsGross.toFixed(4),
    ]);
    const header = ["Object", "Requests", "Messages", "BusySeconds", "RowsWritten", "Dollars"];
    print(columns([header, ...rows]));
    print(`\n${cost.Month}: $${cost.DollarsGross.toFixed(2)} without what the plan includes;`);
    print(`the bill, with the plan: $${cost.DollarsBilled.toFixed(2)}`);
  },
});
