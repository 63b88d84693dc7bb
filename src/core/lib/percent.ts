// Percent-decoding as Go does it: any bytes, UTF-8 or not.

const decoder = new TextDecoder();

/** Percent-decoding of well-formed escapes; bytes that are no UTF-8 become U+FFFD. */
export function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text.replace(/(?:%[\da-fA-F]{2})+/g, (escapes) => {
      const bytes = escapes
        .slice(1)
        .split("%")
        .map((byte) => Number.parseInt(byte, 16));
      return decoder.decode(Uint8Array.from(bytes));
    });
  }
}
