// How this host reaches a deployment: by TLS, through the proxy that the environment names, trusting whom the system
// trusts and whom the configuration adds.

import { readFileSync, readdirSync } from "node:fs";
import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { join } from "node:path";
import { rootCertificates } from "node:tls";

import type { ResolvedAgentConfig } from "../config/types.ts";

export type OutsideAgent = HttpAgent;

export interface OutsideReply {
  status: number;
  text: string;
}

const replyBytesMax = 65_536;

/** Throws when a file of `ca_file` or `ca_path` cannot be read. */
export function outsideAgent(
  url: string,
  { caFile, caPath }: Pick<ResolvedAgentConfig, "caFile" | "caPath">,
): OutsideAgent {
  // Known since Node 24.5; an older one goes directly, which a firewall refuses in its own words.
  const proxied = { proxyEnv: process.env, keepAlive: false };
  if (!/^(?:https|wss):/.test(url)) return new HttpAgent(proxied);
  const own = [
    ...(caFile === "" ? [] : [caFile]),
    ...(caPath === "" ? [] : readdirSync(caPath).map((name) => join(caPath, name))),
  ].map((file) => readFileSync(file, "utf8"));
  return new HttpsAgent({
    ...proxied,
    ...(own.length > 0 && { ca: [...rootCertificates, ...own] }),
  });
}

/** Posts JSON. Rejects when nobody answers in time. */
export function postOutside(
  url: string,
  given: { agent: OutsideAgent; headers: Record<string, string>; body: object; timeoutMs: number },
): Promise<OutsideReply> {
  const { agent, body, timeoutMs } = given;
  const text = JSON.stringify(body);
  const headers = {
    ...given.headers,
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(text)),
  };
  const request = url.startsWith("https:") ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const sent = request(url, { method: "POST", agent, headers, signal }, (response) => {
      let reply = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        if (reply.length < replyBytesMax) reply += part;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text: reply }));
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(text);
  });
}
