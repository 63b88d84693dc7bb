// What a quoted string stands for.

const simple: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
};

const escape = /\\(?:x([\da-f]{2})|u([\da-f]{4})|U([\da-f]{8})|([0-7]{3})|([abfnrtv\\"]))/giu;

/** The inside of a quoted string with its escapes resolved, except in `${…}`. */
export function unquote(inside: string): string {
  if (!inside.includes("\\")) return inside;
  return parts(inside)
    .map(({ text, isKept }) => (isKept ? text : text.replace(escape, resolved)))
    .join("");
}

function resolved(
  whole: string,
  hex2: string | undefined,
  hex4: string | undefined,
  hex8: string | undefined,
  octal: string | undefined,
  letter: string | undefined,
): string {
  if (letter !== undefined) return simple[letter] ?? whole;
  const code = octal === undefined ? parseInt(hex2 ?? hex4 ?? hex8 ?? "", 16) : parseInt(octal, 8);
  return code <= 0x10_ff_ff ? String.fromCodePoint(code) : whole;
}

/** A string cut where `${…}` begins and ends. */
function parts(inside: string): { text: string; isKept: boolean }[] {
  const found: { text: string; isKept: boolean }[] = [];
  let start = 0;
  let braces = 0;
  const cut = (end: number, isKept: boolean): void => {
    if (end > start) found.push({ text: inside.slice(start, end), isKept });
    start = end;
  };
  for (let at = 0; at < inside.length; at++) {
    const character = inside[at];
    if (character === "\\") at += 1;
    else if (braces === 0 && character === "$" && inside[at + 1] === "{") {
      cut(at, false);
      braces = 1;
      at += 1;
    } else if (braces > 0 && character === "{") braces += 1;
    else if (braces > 0 && character === "}") {
      braces -= 1;
      if (braces === 0) cut(at + 1, true);
    }
  }
  cut(inside.length, braces > 0);
  return found;
}
