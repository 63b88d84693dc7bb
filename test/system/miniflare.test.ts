// The second runner: Miniflare does the same job, and reads and writes the same data.

import { afterAll, expect, test } from "vitest";

import { Proconsul, stopAll, temporaryDirectory } from "../support/proconsul.ts";

afterAll(stopAll);

test("data written under workerd is read under Miniflare, and the other way round", async () => {
  const dataDir = temporaryDirectory();
  const base = ["-server", "-bootstrap-expect", "1", "-bind", "127.0.0.1", "-data-dir", dataDir];
  let written = 0;
  for (const runtime of ["workerd", "miniflare", "workerd"]) {
    const agent = await Proconsul.spawn({ args: [...base, "-runtime", runtime] });
    await agent.led();
    for (let n = 0; n < written; n++) {
      expect((await agent.get(`/v1/kv/run/${n}?raw`)).text, runtime).toBe(`written ${n}`);
    }
    expect((await agent.put(`/v1/kv/run/${written}`, `written ${written}`)).text).toBe("true");
    written += 1;
    await agent.stop();
  }
});
