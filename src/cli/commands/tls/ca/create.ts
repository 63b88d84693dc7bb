// `tls ca create`: a certificate authority for agents, as two files.

import { createAgentAuthority } from "../../../../connect/agent-certificates.ts";
import { command, failing } from "../../../command.ts";
import { intFlag, listFlag, switchFlag, textFlag } from "../../../flags.ts";
import { refuseExisting, writeNew } from "../../../new-files.ts";

const fiveYears = 365 * 5;

export default command({
  usage: ["tls ca create [options]"],
  about: `
Makes a certificate authority for the agents and servers of a cluster:

    $ consul tls ca create
    ==> Saved consul-agent-ca.pem
    ==> Saved consul-agent-ca-key.pem`,
  asks: "nobody",
  flags: {
    "additional-name-constraint": listFlag(
      "With -name-constraint: one more DNS name that may be certified. May be repeated.",
    ),
    days: intFlag("Days from now on that it is valid.", fiveYears),
    domain: textFlag("The domain of the cluster: the name of the files begins with it.", "consul"),
    "name-constraint": switchFlag(
      "Certify no other DNS names than localhost, -domain and each -additional-name-constraint, " +
        "with what stands under them. It cannot be changed later.",
    ),
  },
  async run({ flags, print }) {
    const { domain, days, "name-constraint": isConstrained } = flags;
    const certificateFile = `${domain}-agent-ca.pem`;
    const keyFile = `${domain}-agent-ca-key.pem`;
    refuseExisting(certificateFile);
    refuseExisting(keyFile);
    const domains = isConstrained
      ? [...flags["additional-name-constraint"], domain, "localhost"]
      : [];
    const made = await createAgentAuthority({ days, domains, nowMs: Date.now() }).catch(
      failing("error generating CA certificate"),
    );
    writeNew(certificateFile, made.certificate, "certificate");
    print(`==> Saved ${certificateFile}`);
    writeNew(keyFile, made.key, "key");
    print(`==> Saved ${keyFile}`);
  },
});
