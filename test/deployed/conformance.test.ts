// Answers compared with those recorded from Consul 1.8.7, at the address of a deployment.

import { afterEach, describe, expect, test } from "vitest";

import { LocalDeployment } from "../support/deployment.ts";
import { groups, hasKit, kitLimitMs, runKit } from "../support/kit.ts";
import { stopAll } from "../support/proconsul.ts";

let deployment: LocalDeployment;
afterEach(async () => {
  await deployment.stop();
  await stopAll();
});

/** Recorded without ACLs, where any token will do. */
const anyToken = /http\/content types and tokens#[5-8] /;
/** Strangers bootstrap nothing here, and the first token has another name than the one that Consul's file named. */
const firstToken = /acl\/bootstrap and identity#[12] /;

describe.runIf(hasKit)("a deployment answers as Consul does", { timeout: kitLimitMs }, () => {
  test("closed, to a management token, and DNS by a key", async () => {
    deployment = await LocalDeployment.start({ vars: { CONNECT: {} } });
    const token = await deployment.bootstrap();
    const key = await deployment.ask("/v1/operator/dns-key", { method: "PUT", token });
    const { plainUrl: url } = deployment;
    const doh = url + key.json<{ Path: string }>().Path;
    const args = ["--subject", url, "--token", token, "--doh", doh];
    const run = await runKit([...args, "--only", groups.replace("acl-disabled,", "")], [anyToken]);
    expect(run.failures).toEqual([]);
    expect(run.passed).toBeGreaterThan(650);
  });

  test("ACLs, where requests without a token are let through", async () => {
    deployment = await LocalDeployment.start({ vars: { CONNECT: {}, ANONYMOUS: true } });
    const token = await deployment.bootstrap();
    const args = ["--subject", deployment.plainUrl, "--mode", "acl", "--token", token];
    const run = await runKit(args, [firstToken]);
    expect(run.failures).toEqual([]);
    expect(run.passed).toBeGreaterThan(150);
  });
});
