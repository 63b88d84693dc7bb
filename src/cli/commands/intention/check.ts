// `intention check`: whether one service may connect to another; the exit code says it, too.

import { command, Failure, messageOf } from "../../command.ts";

const deniedCode = 1;
const failedCode = 2;

export default command({
  usage: ["intention check [options] SRC DST"],
  about: `
Says whether SRC may connect to DST. Exits with 0 when it may, with 1 when not, and with 2 when that
could not be found out.

    $ consul intention check web db`,
  asks: "servers",
  flags: {},
  async run({ api, args, print }) {
    const [source, destination, ...more] = args;
    if (source === undefined || destination === undefined || more.length > 0) {
      const problem = "Error: command requires exactly two arguments: src and dst";
      throw new Failure(problem, failedCode);
    }
    const query = { source, destination, "source-type": "consul" };
    const answer = await api
      .get("/v1/connect/intentions/check", { query })
      .catch((failure: unknown) => {
        const context = "Error checking the connection";
        throw new Failure(`${context}: ${messageOf(failure)}`, failedCode);
      });
    const { Allowed: isAllowed } = answer.json<{ Allowed: boolean }>();
    print(isAllowed ? "Allowed" : "Denied");
    return isAllowed ? 0 : deniedCode;
  },
});
