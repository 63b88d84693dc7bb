// `acl token read`.

import { command, Failure, failing } from "../../../command.ts";
import { switchFlag, textFlag } from "../../../flags.ts";
import { readToken, tokenId } from "../find.ts";
import { tokenKind } from "../kinds.ts";
import { outputFormat, show, showFlags } from "../show.ts";

export default command({
  usage: ["acl token read [options] -id TOKENID"],
  about: `
Prints a token.

    $ consul acl token read -id 4be56c77-82

    $ consul acl token read -self`,
  asks: "servers",
  flags: {
    ...showFlags,
    id: textFlag('Accessor ID of the token, the beginning of one, or "anonymous".'),
    self: switchFlag("The token that is shown to the agent, instead of -id."),
  },
  async run(call) {
    const { api, flags: given } = call;
    if (given.id === "" && !given.self) throw new Failure("Must specify the -id parameter");
    const id = given.self
      ? "self"
      : await tokenId(api, given.id).catch(failing("Error determining token ID"));
    const context = given.self ? "Error reading token" : `Error reading token "${id}"`;
    const token = await readToken(api, id).catch(failing(context));
    show(call, outputFormat(call), tokenKind, token);
  },
});
