// `connect ca get-config`: which provider signs certificates, and how.

import { command, failing } from "../../../command.ts";
import { indentedJson } from "../../../json.ts";

interface Configuration {
  Provider: string;
  Config: Record<string, unknown>;
  State: Record<string, string> | null;
  CreateIndex: number;
  ModifyIndex: number;
}

export default command({
  usage: ["connect ca get-config [options]"],
  about: "Prints the configuration of the certificate authority.",
  asks: "servers",
  flags: {},
  async run({ api, print }) {
    const answer = await api
      .get("/v1/connect/ca/configuration")
      .catch(failing("Error querying CA configuration"));
    const { Provider, Config, State, CreateIndex, ModifyIndex } = answer.json<Configuration>();
    print(indentedJson({ Provider, Config, State, CreateIndex, ModifyIndex }, "\t"));
  },
});
