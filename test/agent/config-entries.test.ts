// `config_entries.bootstrap` in configuration files; the texts are Consul 1.8.7's.

import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/agent/config/errors.ts";
import { configLab } from "../support/config-lab.ts";

const lab = configLab();
const { file, load } = lab;

/** The error that a file with this content gives, without the file's name. */
function fileRefusal(content: object): string {
  const path = file("t.json", content);
  try {
    load("-dev", "-config-file", path);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.replace(`failed to parse ${path}: `, "");
  }
  return "accepted";
}

describe("configuration entries to begin with", () => {
  const refusals: [bootstrap: unknown, text: string][] = [
    [[{ kind: "zap" }], "config_entries.bootstrap[0]: invalid config entry kind: zap"],
    [
      [{ name: "web" }],
      "config_entries.bootstrap[0]: Payload does not contain a kind/Kind key at the top level",
    ],
    [
      [
        { kind: "service-defaults", name: "a" },
        { kind: "service-splitter", name: "b" },
      ],
      "config_entries.bootstrap[1]: no splits configured",
    ],
    [
      [{ Kind: "service-defaults", Name: "web", Zap: 1 }],
      'config_entries.bootstrap[0]: 1 error occurred:\n\t* invalid config key "Zap"\n\n',
    ],
    [
      { kind: "service-defaults" },
      "1 error(s) decoding:\n\n* 'config_entries.bootstrap': source data must be an array or slice, got map",
    ],
    [["x"], "1 error(s) decoding:\n\n* 'config_entries.bootstrap[0]' expected a map, got 'string'"],
  ];
  test.each(refusals)("%j is refused", (bootstrap, text) => {
    expect(fileRefusal({ config_entries: { bootstrap } })).toBe(text);
  });

  test("are those of all files, in order", () => {
    const one = (name: string) => ({
      config_entries: { bootstrap: [{ kind: "service-defaults", name, protocol: "HTTP" }] },
    });
    const files = ["a", "b"].flatMap((name) => ["-config-file", file(`${name}.json`, one(name))]);
    expect(load("-dev", ...files).configEntries).toMatchObject([
      { kind: "service-defaults", entry: { Name: "a", Protocol: "http" } },
      { kind: "service-defaults", entry: { Name: "b", Protocol: "http" } },
    ]);
  });
});
