// `acl token clone`.

import { pathEscape } from "../../../api.ts";
import { command, Failure, failing } from "../../../command.ts";
import { textFlag } from "../../../flags.ts";
import { formatFlag } from "../../../format.ts";
import { namespaceFlag } from "../../../http-flags.ts";
import { tokenId } from "../find.ts";
import { tokenKind } from "../kinds.ts";
import { outputFormat, show } from "../show.ts";
import type { Token } from "../types.ts";

export default command({
  usage: ["acl token clone [options]"],
  about: `
Makes another token that may do what one may, and prints it.

    $ consul acl token clone -id abcd -description "replication"`,
  asks: "servers",
  flags: {
    ...namespaceFlag,
    description: textFlag("What the new token is for; as the old one when absent."),
    format: formatFlag,
    id: textFlag('Accessor ID of the token, the beginning of one, or "anonymous". Required.'),
  },
  async run(call) {
    const { api, flags: given } = call;
    if (given.id === "") {
      throw new Failure("Cannot update a token without specifying the -id parameter");
    }
    const id = await tokenId(api, given.id).catch(failing("Error determining token ID"));
    const format = outputFormat(call);
    const body = given.description === "" ? {} : { Description: given.description };
    const answer = await api
      .put(`/v1/acl/token/${pathEscape(id)}/clone`, { body })
      .catch(failing("Error cloning token"));
    show(call, format, tokenKind, answer.json<Token>());
  },
});
