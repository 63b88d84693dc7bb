import type { Signal } from "@preact/signals";

import { densities, keyUses, languages, prefs, themes, zones } from "../../state/prefs.ts";
import { useTitle } from "../../state/title.ts";
import { words } from "../../text/index.ts";

export function SettingsPage() {
  const { settings } = words();
  useTitle("", settings.title, "");
  return (
    <section class="page">
      <header class="page-head">
        <h1>{settings.title}</h1>
      </header>
      <div class="settings">
        <p class="muted">{settings.about}</p>
        <Choice label={settings.theme} value={prefs.theme} all={themes} names={settings.themes} />
        <Choice
          label={settings.language}
          value={prefs.language}
          all={languages}
          names={settings.languages}
        />
        <Choice
          label={settings.density}
          value={prefs.density}
          all={densities}
          names={settings.densities}
        />
        <Choice label={settings.zone} value={prefs.zone} all={zones} names={settings.zones} />
        <Choice label={settings.keys} value={prefs.keys} all={keyUses} names={settings.keyUses} />
      </div>
    </section>
  );
}

interface ChoiceProps<Value extends string> {
  label: string;
  value: Signal<Value>;
  all: readonly Value[];
  names: Readonly<Record<Value, string>>;
}

function Choice<Value extends string>({ label, value, all, names }: ChoiceProps<Value>) {
  return (
    <fieldset class="choice">
      <legend>{label}</legend>
      {all.map((one) => (
        <label key={one}>
          <input
            type="radio"
            name={label}
            checked={value.value === one}
            onChange={() => (value.value = one)}
          />
          <span>{names[one]}</span>
        </label>
      ))}
    </fieldset>
  );
}
