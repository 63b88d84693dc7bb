// `validate`: whether an agent would take these configuration files.

import { ConfigError } from "../../agent/config/errors.ts";
import { validateConfigFiles } from "../../agent/config/load.ts";
import { command, Failure } from "../command.ts";
import { switchFlag, textFlag } from "../flags.ts";

export default command({
  usage: ["validate [options] FILE_OR_DIRECTORY..."],
  about: `
Reads configuration files as an agent would and says what is wrong with them.
They must be the complete set that an agent is given, not fragments of it.`,
  asks: "nobody",
  flags: {
    "config-format": textFlag("Read every file as this, whatever its name ends with."),
    quiet: switchFlag("Print nothing when all is well."),
  },
  run({ args, flags: { quiet, "config-format": format }, print }) {
    if (args.length === 0) throw new Failure("Must specify at least one config file or directory");
    for (const warning of warningsOf(args, format)) if (!quiet) print(warning);
    if (!quiet) print("Configuration is valid!");
    return Promise.resolve();
  },
});

function warningsOf(paths: readonly string[], format: string): readonly string[] {
  try {
    return validateConfigFiles(paths, format);
  } catch (failure) {
    if (!(failure instanceof ConfigError)) throw failure;
    throw new Failure(`Config validation failed: ${failure.message}`);
  }
}
