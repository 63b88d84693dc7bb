/** A configuration that cannot be used: the agent prints `==> <message>` and exits with 1. */
export class ConfigError extends Error {
  override name = "ConfigError";
}

/** Flags that cannot be read: `usage` is printed too. `help` asks for it only, with exit code 0. */
export class FlagError extends Error {
  override name = "FlagError";
  readonly usage: string;
  readonly help: boolean;

  constructor(message: string, usage: string, help = false) {
    super(message);
    this.usage = usage;
    this.help = help;
  }
}
