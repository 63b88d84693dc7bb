// `connect ca set-config`: makes a JSON file the configuration of the certificate authority.

import { readFileSync } from "node:fs";

import { parseRawJson } from "../../../../core/model/raw-json.ts";
import { command, Failure, failing, messageOf } from "../../../command.ts";
import { optionalText } from "../../../flags.ts";
import { openError } from "../../../../agent/go-reasons.ts";

export default command({
  usage: ["connect ca set-config [options]"],
  about: "Changes the configuration of the certificate authority to what a JSON file says.",
  asks: "servers",
  flags: { "config-file": optionalText("The file.") },
  async run({ api, flags: { "config-file": file = "" }, print }) {
    if (file === "") throw new Failure("The -config-file flag is required");
    await api
      .put("/v1/connect/ca/configuration", { body: configurationIn(file) })
      .catch(failing("Error setting CA configuration"));
    print("Configuration updated!");
  },
});

function configurationIn(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (failure) {
    throw new Failure(`Error reading config file: ${openError(file, failure)}`);
  }
  try {
    parseRawJson(text);
  } catch (failure) {
    const problem = messageOf(failure).replace(
      /^(unexpected )?EOF$/,
      "unexpected end of JSON input",
    );
    throw new Failure(`Error parsing config file: ${problem}`);
  }
  return text;
}
