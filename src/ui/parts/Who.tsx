import { showsSignIn } from "../state/dialogs.ts";
import { token } from "../state/token.ts";
import { words } from "../text/index.ts";
import { Icon } from "./Icon.tsx";

/** Of a token only the first block is ever shown. */
export function Who() {
  const { who } = words();
  const [block = ""] = token.value.split("-");
  return (
    <button type="button" class="who" onClick={() => (showsSignIn.value = true)}>
      <Icon name="person" />
      <span>{token.value === "" ? who.none : who.shown(block.slice(0, 8))}</span>
    </button>
  );
}
