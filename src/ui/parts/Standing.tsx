// The state of what a page shows: its rows, or what stands in their place.

import type { ComponentChildren } from "preact";

import type { Standing as Facts } from "../live/port.ts";
import { showsSignIn } from "../state/dialogs.ts";
import { live } from "../state/live.ts";
import { apiRoot } from "../state/place.ts";
import { token } from "../state/token.ts";
import { Denied, Failed, Skeleton } from "./States.tsx";

export interface StandingProps {
  path: string;
  standing: Facts;
  needs: string;
  /** Shown where the API says that there is none. */
  missing?: ComponentChildren;
  children: ComponentChildren;
}

export function Standing({ path, standing, needs, missing, children }: StandingProps) {
  const { phase, failure } = standing;
  const hasToken = token.value !== "";
  if (phase === "loading") return <Skeleton />;
  if (phase === "missing" && missing !== undefined) return <>{missing}</>;
  if (phase === "denied") {
    const signIn = (): void => {
      showsSignIn.value = true;
    };
    return (
      <Denied needs={needs} text={failure?.text ?? ""} hasToken={hasToken} onSignIn={signIn} />
    );
  }
  if ((phase === "failed" || phase === "missing") && failure) {
    const url = new URL(path, apiRoot).href;
    return <Failed url={url} failure={failure} hasToken={hasToken} onRetry={() => live.retry()} />;
  }
  return <>{children}</>;
}
