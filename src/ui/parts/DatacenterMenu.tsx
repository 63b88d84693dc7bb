import { useDatacenters } from "../state/cluster.ts";
import { noQuery } from "../routes.ts";
import { go } from "../state/place.ts";
import { words } from "../text/index.ts";
import { Name } from "./Name.tsx";

/** A datacenter that does not answer stays in it, so that one can get away. */
export function DatacenterMenu({ dc }: { dc: string }) {
  const { body = [] } = useDatacenters();
  const all = body.includes(dc) ? body : [dc, ...body];
  if (all.length === 1) {
    return (
      <span class="datacenter">
        <Name text={dc} />
      </span>
    );
  }
  return (
    <label class="datacenter">
      <span class="offscreen">{words().nav.datacenter}</span>
      <select
        value={dc}
        onChange={({ currentTarget }) =>
          go({ page: "services", dc: currentTarget.value, query: noQuery })
        }
      >
        {all.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
