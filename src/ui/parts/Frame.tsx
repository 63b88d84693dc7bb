// What is around every page. None of it waits for data.

import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";

import { noQuery } from "../routes.ts";
import { showsKeys, showsRequests, showsSignIn } from "../state/dialogs.ts";
import { useKeys } from "../state/keys.ts";
import { go } from "../state/place.ts";
import { cycle, prefs, themes } from "../state/prefs.ts";
import { plan } from "../state/plans.ts";
import { words } from "../text/index.ts";
import { PlanDialog } from "./PlanDialog.tsx";
import { ToastLine } from "./ToastLine.tsx";
import { KeyHelp } from "./KeyHelp.tsx";
import { Rail } from "./Rail.tsx";
import { Requests } from "./Requests.tsx";
import { SignIn } from "./SignIn.tsx";
import { TopBar } from "./TopBar.tsx";

/** `dc`: "" while it is not known. */
export function Frame({ dc, children }: { dc: string; children: ComponentChildren }) {
  useKeys(
    useMemo(
      () => ({
        "g s": () => go(dc === "" ? { page: "start" } : { page: "services", dc, query: noQuery }),
        "g k": () =>
          go(dc === "" ? { page: "start" } : { page: "folder", dc, prefix: "", query: noQuery }),
        "g ,": () => go({ page: "settings" }),
        t: () => cycle(prefs.theme, themes),
        c: () => void (showsRequests.value = true),
        "?": () => void (showsKeys.value = true),
      }),
      [dc],
    ),
  );
  return (
    <div class="frame">
      <a class="skip" href="#main">
        {words().nav.skip}
      </a>
      <Rail dc={dc} />
      {/* Another datacenter is another bar: nothing of the one before may stay. */}
      <TopBar key={dc} dc={dc} />
      <main id="main" tabIndex={-1}>
        {children}
      </main>
      {showsSignIn.value && <SignIn />}
      {showsKeys.value && <KeyHelp />}
      {showsRequests.value && <Requests />}
      {plan.value && <PlanDialog plan={plan.value} />}
      <ToastLine />
    </div>
  );
}
