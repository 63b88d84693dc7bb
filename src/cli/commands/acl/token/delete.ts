// `acl token delete`.

import { pathEscape } from "../../../api.ts";
import { command, Failure, failing } from "../../../command.ts";
import { textFlag } from "../../../flags.ts";
import { namespaceFlag } from "../../../http-flags.ts";
import { tokenId } from "../find.ts";

export default command({
  usage: ["acl token delete [options] -id TOKEN"],
  about: `
Deletes a token: from now on it grants nothing.

    $ consul acl token delete -id b6b85`,
  asks: "servers",
  flags: {
    ...namespaceFlag,
    id: textFlag("Accessor ID of the token, or the beginning of one."),
  },
  async run({ api, flags: { id: given }, print }) {
    if (given === "") throw new Failure("Must specify the -id parameter");
    const id = await tokenId(api, given).catch(failing("Error determining token ID"));
    await api
      .delete(`/v1/acl/token/${pathEscape(id)}`)
      .catch(failing(`Error deleting token "${id}"`));
    print(`Token "${id}" deleted successfully`);
  },
});
