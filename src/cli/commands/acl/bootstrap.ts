// `acl bootstrap`: the first token, which may do everything.

import { command, failing } from "../../command.ts";
import { formatFlag } from "../../format.ts";
import { tokenKind } from "./kinds.ts";
import { outputFormat, show } from "./show.ts";
import type { Token } from "./types.ts";

export default command({
  usage: ["acl bootstrap [options]"],
  about: `
Makes the first token, which may do everything, and prints it. That works once; when all tokens are
lost it takes a reset by a file at the leader.`,
  asks: "servers",
  flags: { format: formatFlag },
  async run(call) {
    const format = outputFormat(call);
    const answer = await call.api
      .put("/v1/acl/bootstrap")
      .catch(failing("Failed ACL bootstrapping"));
    show(call, format, tokenKind, answer.json<Token>());
  },
});
