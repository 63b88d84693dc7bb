// The web UI begins here.

import { render } from "preact";

import { App } from "./app.tsx";
import { listenToKeys } from "./state/keys.ts";
import { followAddress } from "./state/place.ts";
import { applyPrefs } from "./state/prefs.ts";
import { say } from "./state/toast.ts";
import "./style/index.css";
import { followLanguage, words } from "./text/index.ts";

const reloaded = "proconsul.reloaded";

applyPrefs();
followAddress();
listenToKeys();
try {
  await followLanguage();
  sessionStorage.removeItem(reloaded);
  const root = document.querySelector("#app");
  if (root) render(<App />, root);
} catch (failure) {
  // After a deploy a part of the old version may be gone; the page knows the new ones.
  if (sessionStorage.getItem(reloaded) !== null) throw failure;
  sessionStorage.setItem(reloaded, "once");
  location.reload();
}

addEventListener("unhandledrejection", ({ reason }) => {
  const isGone = /dynamically imported module|module script failed/i.test(String(reason));
  if (isGone) say(words().outdated);
});
