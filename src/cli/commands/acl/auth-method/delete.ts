// `acl auth-method delete`.

import { command, Failure, failing } from "../../../command.ts";
import { textFlag } from "../../../flags.ts";
import { namespaceFlag } from "../../../http-flags.ts";
import { methodPath } from "./fields.ts";

export default command({
  usage: ["acl auth-method delete -name NAME [options]"],
  about: `
Deletes an auth method, with its binding rules and the tokens of its logins.

    $ consul acl auth-method delete -name "my-k8s"`,
  asks: "servers",
  flags: { ...namespaceFlag, name: textFlag("Name of the auth method.") },
  async run({ api, flags: { name }, print }) {
    if (name === "") throw new Failure("Must specify the -name parameter");
    await api.delete(methodPath(name)).catch(failing(`Error deleting auth method "${name}"`));
    print(`Auth method "${name}" deleted successfully`);
  },
});
