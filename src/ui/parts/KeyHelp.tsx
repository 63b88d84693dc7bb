import { prefs } from "../state/prefs.ts";
import { showsKeys } from "../state/dialogs.ts";
import { words } from "../text/index.ts";
import { Dialog } from "./Dialog.tsx";

export function KeyHelp() {
  const { help } = words();
  const rows: [string[], string][] = [
    [["g", "s"], help.keys.go],
    [["g", "k"], help.keys.goKeys],
    [["g", ","], help.keys.goSettings],
    [["j", "k"], help.keys.move],
    [["Enter"], help.keys.open],
    [["Esc"], help.keys.close],
    [["/"], help.keys.filter],
    [["w"], help.keys.why],
    [["y"], help.keys.copy],
    [["Ctrl", "S"], help.keys.save],
    [["c"], help.keys.requests],
    [["r"], help.keys.apply],
    [["p"], help.keys.pause],
    [["[", "]"], help.keys.tabs],
    [["t"], help.keys.theme],
    [["?"], help.keys.help],
  ];
  const close = (): void => {
    showsKeys.value = false;
  };
  return (
    <Dialog title={help.title} closeLabel={help.close} onClose={close}>
      {prefs.keys.value === "off" && <p>{help.off}</p>}
      <dl class="keys">
        {rows.map(([keys, what]) => (
          <div key={what}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
