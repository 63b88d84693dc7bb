// `acl set-agent-token`: gives the agent a token for its own work.

import { command, Failure, failing } from "../../command.ts";

const types = ["default", "agent", "master", "replication"];

export default command({
  usage: ["acl set-agent-token [options] TYPE TOKEN"],
  about: `
Gives the agent a token. TYPE says what for: "default" for whoever shows none, "agent" for its own
work, "master" for its own API when no server is there, "replication" for copying from the primary
datacenter.

    $ consul acl set-agent-token default c4d0f8df-…`,
  asks: "servers",
  flags: {},
  async run({ api, args, print }) {
    const [type, token] = args;
    if (type === undefined) throw new Failure("Error! Missing TYPE and TOKEN arguments");
    if (token === undefined) throw new Failure("Error! Missing TOKEN argument");
    if (args.length > 2) {
      throw new Failure(`Error! Too many arguments: expected 2 got ${args.length}`);
    }
    if (!types.includes(type)) throw new Failure("Unknown token type");
    await api
      .put(`/v1/agent/token/${type}`, { body: { Token: token } })
      .catch(failing(`Failed to set ACL token "${type}"`));
    print(`ACL token "${type}" set successfully`);
  },
});
