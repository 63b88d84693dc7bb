// `dns-key`, beyond Consul: an address for resolvers that cannot send a token.

import { formatDuration } from "../../core/model/duration.ts";
import { command, failing } from "../command.ts";
import { durationFlag } from "../flags.ts";

export default command({
  usage: ["dns-key [options]"],
  about: `
Makes a key by which DNS over HTTPS is asked in an address, with what the token
may see that is shown here. Deleting the token revokes the key.

    $ proconsul dns-key -token "$READER" -ttl 8760h`,
  asks: "servers",
  flags: { ttl: durationFlag("How long the key is good for; for ever without it.") },
  async run({ api, flags, print }) {
    const query = flags.ttl > 0 ? { ttl: formatDuration(flags.ttl) } : {};
    const answer = await api
      .put("/v1/operator/dns-key", { query })
      .catch(failing("Failed to make the key"));
    print(answer.json<{ Path: string }>().Path);
  },
});
