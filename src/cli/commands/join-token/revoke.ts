// `join-token revoke`, beyond Consul.

import { command, Failure, failing } from "../../command.ts";

export default command({
  usage: ["join-token revoke [options] ACCESSOR"],
  about: `
Revokes a token by which hosts join. Hosts that have joined by it stay: each has
a token of its own, which acl token delete revokes.`,
  asks: "servers",
  flags: {},
  async run({ api, args, print }) {
    const [accessor, ...more] = args;
    if (accessor === undefined || more.length > 0) {
      throw new Failure("This command takes one argument: the accessor of a join token");
    }
    await api
      .delete(`/v1/operator/join-token/${encodeURIComponent(accessor)}`)
      .catch(failing("Failed to revoke the join token"));
    print(`Join token "${accessor}" revoked`);
  },
});
