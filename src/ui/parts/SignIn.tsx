// Signing in and out. A token is tried before it is used.

import { useState } from "preact/hooks";

import { plain } from "../model/names.ts";
import { showsSignIn } from "../state/dialogs.ts";
import { say } from "../state/toast.ts";
import { signIn, signOut, token } from "../state/token.ts";
import { whoIs } from "../state/who.ts";
import { words } from "../text/index.ts";
import { Dialog } from "./Dialog.tsx";

export function SignIn() {
  const { who } = words();
  const [secret, setSecret] = useState("");
  const [said, setSaid] = useState("");
  const close = (): void => {
    showsSignIn.value = false;
  };
  const use = async (): Promise<void> => {
    setSaid(who.checking);
    const found = await whoIs(secret.trim());
    if (found.kind === "unknown") return setSaid(who.refused);
    if (found.kind === "failed") return setSaid(who.failed(plain(found.text)));
    if (found.kind === "open") return setSaid(who.open);
    signIn(secret);
    say(who.now(plain(found.name)));
    close();
  };
  return (
    <Dialog title={who.title} closeLabel={who.cancel} onClose={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (secret.trim() !== "") void use();
        }}
      >
        <p>{who.about}</p>
        <label class="field">
          <span>{who.label}</span>
          <input
            type="password"
            value={secret}
            autocomplete="off"
            spellcheck={false}
            placeholder="00000000-0000-0000-0000-000000000000"
            onInput={({ currentTarget }) => setSecret(currentTarget.value)}
          />
        </label>
        <p class="said" role="status">
          {said}
        </p>
        <div class="actions">
          {token.value !== "" && (
            <button
              type="button"
              onClick={() => {
                signOut();
                close();
              }}
            >
              {who.signOut}
            </button>
          )}
          <button type="submit" class="main-action" disabled={secret.trim() === ""}>
            {who.use}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
