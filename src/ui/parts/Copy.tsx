import { copy } from "../state/clipboard.ts";
import { words } from "../text/index.ts";
import { Icon } from "./Icon.tsx";

/** `what`: said of it to who cannot see it; its text when absent. */
export function Copy({ text, what = text }: { text: string; what?: string }) {
  const label = words().copy.what(what);
  return (
    <button
      type="button"
      class="quiet"
      aria-label={label}
      title={label}
      onClick={() => void copy(text)}
    >
      <Icon name="copy" />
    </button>
  );
}

/** A command line, with a way to take it. */
export function Command({ text }: { text: string }) {
  return (
    <div class="command">
      {/* Long lines scroll, which needs the keyboard, too. */}
      <pre tabIndex={0}>{text}</pre>
      <Copy text={text} />
    </div>
  );
}
