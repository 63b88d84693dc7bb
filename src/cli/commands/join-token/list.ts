// `join-token list`, beyond Consul.

import { columns } from "../../columns.ts";
import { command, failing } from "../../command.ts";

interface JoinToken {
  AccessorID: string;
  Description: string;
  CreateTime: string;
}

export default command({
  usage: ["join-token list [options]"],
  about: "Lists the tokens by which hosts may join, without what they are.",
  asks: "servers",
  flags: {},
  async run({ api, print }) {
    const answer = await api
      .get("/v1/operator/join-tokens")
      .catch(failing("Failed to list join tokens"));
    const rows = answer
      .json<JoinToken[]>()
      .map(({ AccessorID, CreateTime, Description }) => [AccessorID, CreateTime, Description]);
    print(columns([["Accessor", "Created", "Description"], ...rows]));
  },
});
