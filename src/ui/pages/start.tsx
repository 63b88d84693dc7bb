import { useEffect } from "preact/hooks";

import { Standing } from "../parts/Standing.tsx";
import { noQuery } from "../routes.ts";
import { useDatacenters } from "../state/cluster.ts";
import { go } from "../state/place.ts";

/** Leads to the services of the datacenter that the API names first, which is its own. */
export function StartPage() {
  const { standing, body } = useDatacenters();
  const dc = body?.[0];
  useEffect(() => {
    if (dc !== undefined) go({ page: "services", dc, query: noQuery }, { replace: true });
  }, [dc]);
  return (
    <section class="page">
      <Standing path="v1/catalog/datacenters" standing={standing} needs="service:read">
        {null}
      </Standing>
    </section>
  );
}
