// `acl binding-rule delete`.

import { command, Failure, failing } from "../../../command.ts";
import { textFlag } from "../../../flags.ts";
import { namespaceFlag } from "../../../http-flags.ts";
import { rulePath, wholeRuleId } from "./fields.ts";

export default command({
  usage: ["acl binding-rule delete -id ID [options]"],
  about: `
Deletes a binding rule.

    $ consul acl binding-rule delete -id b6b85`,
  asks: "servers",
  flags: { ...namespaceFlag, id: textFlag("ID of the rule, or the beginning of one.") },
  async run({ api, flags: { id: given }, print }) {
    if (given === "") throw new Failure("Must specify the -id parameter");
    const id = await wholeRuleId(api, given);
    await api.delete(rulePath(id)).catch(failing(`Error deleting binding rule "${id}"`));
    print(`Binding rule "${id}" deleted successfully`);
  },
});
