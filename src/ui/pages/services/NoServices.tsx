import { Empty } from "../../parts/States.tsx";
import { showsSignIn } from "../../state/dialogs.ts";
import { apiRoot } from "../../state/place.ts";
import { token } from "../../state/token.ts";
import { words } from "../../text/index.ts";

const definition = {
  Name: "web",
  Port: 9090,
  Check: { HTTP: "http://127.0.0.1:9090/", Interval: "1s" },
};

/** The first thing that a newcomer sees: how to have something to look at. */
export function NoServices() {
  const { services, who } = words();
  const url = new URL("v1/agent/service/register", apiRoot).href;
  const command = `curl -X PUT ${url} \\\n  -d '${JSON.stringify(definition)}'`;
  return (
    <Empty title={services.empty} about={services.emptyWhy} command={command}>
      {token.value === "" && (
        <p class="muted">
          {services.emptyToken}{" "}
          <button type="button" class="link" onClick={() => (showsSignIn.value = true)}>
            {who.title}
          </button>
        </p>
      )}
    </Empty>
  );
}
