// `logout`: ends the token of a login.

import { command, failing } from "../command.ts";

export default command({
  usage: ["logout [options]"],
  about: 'Ends the token that is shown, which must be one that "login" gave.',
  asks: "servers",
  flags: {},
  async run({ api }) {
    await api.post("/v1/acl/logout").catch(failing("Error destroying token"));
  },
});
