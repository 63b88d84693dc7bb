// What a page shows in place of data: each says what there is to know, and what to do.

import type { ComponentChildren } from "preact";

import { curlLine } from "../model/curl.ts";
import type { Failure } from "../live/port.ts";
import { words } from "../text/index.ts";
import { Command } from "./Copy.tsx";

export function Skeleton() {
  return (
    <div class="skeleton" aria-hidden="true">
      {Array.from({ length: 8 }, (_, at) => (
        <div key={at} />
      ))}
    </div>
  );
}

export interface EmptyProps {
  title: string;
  about: string;
  /** Which fills it. */
  command?: string;
  children?: ComponentChildren;
}

export function Empty({ title, about, command, children }: EmptyProps) {
  return (
    <div class="notice">
      <h2>{title}</h2>
      <p>{about}</p>
      {command !== undefined && <Command text={command} />}
      {children}
    </div>
  );
}

export interface FailedProps {
  url: string;
  failure: Failure;
  hasToken: boolean;
  onRetry(): void;
}

export function Failed({ url, failure: { status, text }, hasToken, onRetry }: FailedProps) {
  const { failure: said } = words();
  const [, dc] = /[?&]dc=([^&]*)/.exec(url) ?? [];
  const isAway = /no path to datacenter/i.test(text) && dc !== undefined;
  return (
    <div class="notice" role="alert">
      <h2>{isAway ? said.datacenter(decodeURIComponent(dc)) : said.title}</h2>
      <dl>
        <dt>{said.said}</dt>
        <dd>{status === 0 ? said.none : `${said.status(status)} ${text}`}</dd>
      </dl>
      <Command text={curlLine(url, hasToken)} />
      <button type="button" class="main-action" onClick={onRetry}>
        {said.retry}
      </button>
    </div>
  );
}

export interface DeniedProps {
  /** Rule that would let one in, such as `service:read`. */
  needs: string;
  text: string;
  hasToken: boolean;
  onSignIn(): void;
}

export function Denied({ needs, text, hasToken, onSignIn }: DeniedProps) {
  const { denied, who } = words();
  return (
    <div class="notice" role="alert">
      <h2>{hasToken ? denied.title : denied.titleNone}</h2>
      <p>{denied.needs(needs)}</p>
      <dl>
        <dt>{denied.said}</dt>
        <dd>{text}</dd>
      </dl>
      <button type="button" class="main-action" onClick={onSignIn}>
        {hasToken ? who.another : who.title}
      </button>
    </div>
  );
}
