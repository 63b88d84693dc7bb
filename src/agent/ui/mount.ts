// The web UI at an agent's HTTP port. Nothing of it is loaded, built or kept before somebody asks for it.

import type { Hono } from "hono";

import { notAllowed, redirect } from "../../api/endpoint.ts";
import type { UiConfig } from "../config/types.ts";
import type { UiAnswers } from "./answers.ts";

const robots = "User-agent: *\nDisallow: /\n";

/** Behind the routes that there are; the root leads here by the API's own setting. */
export function mountUi(app: Hono, config: UiConfig): void {
  const { contentPath } = config;
  let answers: Promise<UiAnswers> | null = null;
  const loaded = async (): Promise<UiAnswers> => {
    answers ??= load(config);
    try {
      return await answers;
    } catch (failure) {
      // The sources of a checkout may be right the next time.
      answers = null;
      throw failure;
    }
  };
  app.on(["GET", "HEAD"], "/robots.txt", (context) => context.text(robots));
  app.all(contentPath.slice(0, -1), (context) => redirect(context, contentPath));
  app.all(`${contentPath}*`, async ({ req }) => {
    const { raw, path, method } = req;
    if (method !== "GET" && method !== "HEAD") {
      const { status, headers, body } = notAllowed(method, ["GET", "HEAD"]);
      return new Response(body as string | null, { status, headers });
    }
    return await (
      await loaded()
    )(raw, path.slice(contentPath.length));
  });
}

async function load({ directory, contentPath }: UiConfig): Promise<UiAnswers> {
  const { directoryUi, ownUi } = await import("./answers.ts");
  if (directory !== "") return directoryUi(directory);
  const { uiFiles } = await import("./files.ts");
  return ownUi(await uiFiles(), contentPath);
}
