import { curlLine } from "../model/curl.ts";
import { showsRequests } from "../state/dialogs.ts";
import { live } from "../state/live.ts";
import { apiRoot } from "../state/place.ts";
import { words } from "../text/index.ts";
import { Command } from "./Copy.tsx";
import { Dialog } from "./Dialog.tsx";

/** Everything that is asked now, for whoever wants to ask it elsewhere. */
export function Requests() {
  const { requests } = words();
  const close = (): void => {
    showsRequests.value = false;
  };
  return (
    <Dialog title={requests.title} closeLabel={requests.close} onClose={close}>
      <p>{requests.about}</p>
      {live.asks.map(({ path, token }) => (
        <Command key={path} text={curlLine(new URL(path, apiRoot).href, token !== "")} />
      ))}
    </Dialog>
  );
}
