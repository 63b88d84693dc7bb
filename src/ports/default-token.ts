// A Cluster that shows a token for those who show none: an agent's default token for its clients, its own for itself.

import type { Cluster } from "./cluster.ts";

/** `token` is asked each time, because it may be changed; "" for none. */
export function withDefaultToken(cluster: Cluster, token: () => string): Cluster {
  const shown = <Options extends { token?: string }>(options: Options): Options => {
    const own = options.token || token();
    return own === "" ? options : { ...options, token: own };
  };
  return {
    read: (op, args, options) => cluster.read(op, args, shown(options)),
    write: (command, options) => cluster.write(command, shown(options)),
    renewSession: (id, options) => cluster.renewSession(id, shown(options)),
    status: (options) => cluster.status(options),
    servers: (options) => cluster.servers(shown(options)),
    removeServer: (choice, options) => cluster.removeServer(choice, shown(options)),
    signCertificate: (csr, options) => cluster.signCertificate(csr, shown(options)),
    configureCa: (configuration, options) => cluster.configureCa(configuration, shown(options)),
    autopilotHealth: (options) => cluster.autopilotHealth(shown(options)),
    transferLeadership: (id, options) => cluster.transferLeadership(id, shown(options)),
    fireEvent: (event, options) => cluster.fireEvent(event, shown(options)),
    setAuthMethod: (method, options) => cluster.setAuthMethod(method, shown(options)),
    // Whoever logs in shows nothing but the bearer.
    login: (request, options) => cluster.login(request, options),
    permitRestore: (options) => cluster.permitRestore(shown(options)),
    saveState: (options) => cluster.saveState(shown(options)),
    datacenters: () => cluster.datacenters(),
  };
}
