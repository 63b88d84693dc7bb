// `acl policy delete`.

import { pathEscape } from "../../../api.ts";
import { command, failing } from "../../../command.ts";
import { namespaceFlag } from "../../../http-flags.ts";
import { whichFlags, whichPolicy } from "./fields.ts";

export default command({
  usage: ["acl policy delete [options] -id POLICY"],
  about: `
Deletes a policy.

    $ consul acl policy delete -id b6b85`,
  asks: "servers",
  flags: { ...namespaceFlag, ...whichFlags },
  async run({ api, flags: { id: given, name }, print }) {
    const id = await whichPolicy(api, given, name);
    await api
      .delete(`/v1/acl/policy/${pathEscape(id)}`)
      .catch(failing(`Error deleting policy "${id}"`));
    print(`Policy "${id}" deleted successfully`);
  },
});
