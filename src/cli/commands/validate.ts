// `proconsul validate`: whether an agent would take these configuration files.

import { ConfigError } from "../../agent/config/errors.ts";
import { validateConfigFiles } from "../../agent/config/load.ts";
import { type Command, complain, print } from "../command.ts";

const usage = `Usage: proconsul validate [-quiet] [-config-format json] FILE_OR_DIRECTORY...`;

async function run(args: readonly string[]): Promise<number> {
  const quiet = args.includes("-quiet") || args.includes("--quiet");
  const format = args.indexOf("-config-format");
  const paths = args.filter(
    (argument, at) => !argument.startsWith("-") && (format < 0 || at !== format + 1),
  );
  if (paths.length === 0) {
    complain(`Must specify at least one config file or directory\n${usage}`);
    return 1;
  }
  try {
    const warnings = validateConfigFiles(paths, format < 0 ? "" : (args[format + 1] ?? ""));
    for (const warning of warnings) if (!quiet) print(warning);
    if (!quiet) print("Configuration is valid!");
    return await Promise.resolve(0);
  } catch (failure) {
    if (!(failure instanceof ConfigError)) throw failure;
    complain(`Config validation failed: ${failure.message}`);
    return 1;
  }
}

export const validate: Command = {
  name: "validate",
  synopsis: "Validate config files/directories",
  run,
};
