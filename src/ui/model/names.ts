// Names that lie: characters that nobody sees, or that turn the text around them. They are shown as what they are.

/** A piece of a text; `code` where it stands for one such character, such as `U+202E`. */
export interface Piece {
  text: string;
  isOdd: boolean;
}

// Controls, format characters (bidirectional, zero width), line and paragraph separators, surrogates alone, blanks that
// are no space.
const odd =
  /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\u00A0\u115F\u1160\u2000-\u200A\u202F\u205F\u2800\u3000\u3164\uFFA0]/u;

export function pieces(text: string): Piece[] {
  if (!odd.test(text)) return [{ text, isOdd: false }];
  const found: Piece[] = [];
  for (const character of text) {
    const isOdd = odd.test(character);
    const last = found.at(-1);
    if (!isOdd && last && !last.isOdd) last.text += character;
    else found.push({ text: isOdd ? codeOf(character) : character, isOdd });
  }
  return found;
}

/** The same as one text, for titles and labels. */
export function plain(text: string): string {
  return pieces(text)
    .map((piece) => piece.text)
    .join("");
}

function codeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
}

/** A text whose line breaks and tabs are meant, such as a check's output. */
export function linesOf(text: string): Piece[][] {
  return text.split(/\r?\n/).map((line) => pieces(line.replaceAll("\t", "    ")));
}
