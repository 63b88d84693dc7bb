// The first token: made once with the deployer's secret, and again by whoever may set the Worker's variables.

import { afterAll, expect, test } from "vitest";

import { LocalDeployment } from "../support/deployment.ts";
import { stopAll } from "../support/proconsul.ts";

let deployment: LocalDeployment;
afterAll(async () => {
  await deployment.stop();
  await stopAll();
});

test(
  "who lost every token begins again with the index of the refusal",
  { timeout: 60_000 },
  async () => {
    deployment = await LocalDeployment.start();
    const first = await deployment.bootstrap();
    const headers = { "X-Proconsul-Secret": deployment.secrets.deploy };
    const bootstrap = () => deployment.ask("/v1/acl/bootstrap", { method: "PUT", headers });
    const refused = await bootstrap();
    expect(refused.status).toBe(403);
    const [, index = ""] = /\(reset index: (\d+)\)/.exec(refused.text) ?? [];
    await deployment.upgrade({ ACL_BOOTSTRAP_RESET: `${Number(index) + 1}` });
    expect((await bootstrap()).status).toBe(403);
    await deployment.upgrade({ ACL_BOOTSTRAP_RESET: index });
    const second = await deployment.bootstrap();
    expect(second).not.toBe(first);
    for (const token of [first, second]) {
      expect((await deployment.ask("/v1/acl/tokens", { token })).status).toBe(200);
    }
    // What it named does not count twice.
    expect((await bootstrap()).status).toBe(403);
  },
);
