// `/v1/openapi.json`: what this host serves, described. Made when it is first asked for, because most hosts never are.

import { json } from "../reply.ts";
import type { Area } from "../endpoint.ts";
import { openApiDocument } from "./document.ts";
import type { AreaOf } from "./operation.ts";
import { routes } from "./routes/index.ts";
import type { openApiRoutes } from "./routes/openapi.ts";

/** `others` are the areas that are mounted beside it. */
export function openApiArea(others: readonly Area[]): AreaOf<typeof openApiRoutes> {
  let text: string | undefined;
  const area: AreaOf<typeof openApiRoutes> = {
    "/v1/openapi.json": {
      GET: () => {
        text ??= JSON.stringify(openApiDocument([...others, area], routes));
        return json(text);
      },
    },
  };
  return area;
}
