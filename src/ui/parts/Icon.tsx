// Icons and the glyphs of states: outlines of 16 × 16, in the colour of the text around them.

const outlines = {
  services: "M2.5 4.5 8 1.8l5.5 2.7L8 7.2zM2.5 8 8 10.7 13.5 8M2.5 11.5 8 14.2l5.5-2.7",
  settings:
    "M2 4.5h6m4 0h2M2 11.5h2m4 0h6M10 2.5a2 2 0 1 1 0 4 2 2 0 0 1 0-4zM6 9.5a2 2 0 1 1 0 4 2 2 0 0 1 0-4z",
  keys: "M1.5 4.5h13v7h-13zM4 7h.01M6.7 7h.01M9.4 7h.01M12 7h.01M5 9.2h6",
  curl: "m2.5 4 4 4-4 4M8 12h5.5",
  kv: "M5 2.5H3.5v4L2 8l1.5 1.5v4H5m6-11h1.5v4L14 8l-1.5 1.5v4H11M6.5 8h3",
  folder: "M1.8 3.5h4.4L7.8 5h6.4v7.5H1.8z",
  file: "M3.5 1.8h6l3 3v9.4h-9zM9.5 1.8v3h3",
  lock: "M4 7.5h8v6H4zM5.5 7.5v-2a2.5 2.5 0 0 1 5 0v2",
  plus: "M8 3v10M3 8h10",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  close: "m3.5 3.5 9 9m0-9-9 9",
  search: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zm3.3 7.8 3.2 3.2",
  up: "m4 9.5 4-4 4 4",
  down: "m4 6.5 4 4 4-4",
  back: "M9.5 3.5 5 8l4.5 4.5",
  person:
    "M8 2.5a2.6 2.6 0 1 1 0 5.2 2.6 2.6 0 0 1 0-5.2zM2.8 14c.5-2.7 2.5-4.2 5.2-4.2s4.7 1.5 5.2 4.2",
  pause: "M5.5 3.5v9m5-9v9",
  light:
    "M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM8 1v1.5m0 11V15M1 8h1.5m11 0H15M3 3l1.1 1.1m7.8 7.8L13 13m0-10-1.1 1.1M4.1 11.9 3 13",
} as const;

export type IconName = keyof typeof outlines;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={outlines[name]} />
    </svg>
  );
}

/** The column of the mark, beside the name. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 16 16" aria-hidden="true">
      <path d="M2 1.5h12v2H2zM2 12.5h12v2H2zM4 4.5h1.6v7H4zM7.2 4.5h1.6v7H7.2zM10.4 4.5H12v7h-1.6z" />
    </svg>
  );
}
