// A whole state over a link: a server keeps it as it was when it was asked for, and gives it piece by piece to whoever
// asks for the next one. Another server cannot go on with it.

import { decodeBase64 } from "../core/lib/base64.ts";
import type { JsonValue } from "../core/model/json.ts";
import type { SavedState, SaveOptions } from "../ports/cluster.ts";
import type { LinkClient } from "./client.ts";
import type { ArchiveRequest, ValueAnswer } from "./protocol.ts";

type Step = ArchiveRequest["archive"];
/** What is known when it begins to be kept. */
type Opened = Omit<SavedState, "bytes" | "close" | "chunks"> & { of: number };

/** Rejects with ServiceError. `done` is called once, when the link is not needed any more. */
export async function saveState(
  link: LinkClient,
  { token, dc, consistency }: SaveOptions,
  done: () => void = () => undefined,
): Promise<SavedState> {
  const shown = token === undefined || token === "" ? {} : { token };
  const ask = async (archive: Step): Promise<JsonValue> => {
    const request = { archive, ...shown, ...(consistency && { consistency }), ...(dc && { dc }) };
    return ((await link.ask(request)) as ValueAnswer).value;
  };
  const { of, ...facts } = (await ask({ do: "open" })) as unknown as Opened;
  let open = true;
  const closed = async (): Promise<void> => {
    // Where it does not arrive, the server closes it by itself.
    await ask({ do: "close", of }).catch(() => undefined);
    done();
  };
  const close = (): void => {
    if (!open) return;
    open = false;
    void closed();
  };
  try {
    for (;;) {
      const measured = (await ask({ do: "measure", of })) as { bytes: number; done: boolean };
      if (measured.done) return { ...facts, bytes: measured.bytes, close, chunks: () => chunks() };
    }
  } catch (failure) {
    close();
    throw failure;
  }

  function read(piece: number): Promise<{ data: string; done: boolean }> {
    const answer = ask({ do: "read", of, piece }) as Promise<unknown>;
    // Whoever reads no further does not want to know.
    answer.catch(() => undefined);
    return answer as Promise<{ data: string; done: boolean }>;
  }

  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      // The next one is on its way while somebody works on this one.
      let coming = read(0);
      for (let piece = 1, last = false; !last; piece++) {
        const { data, done } = await coming;
        last = done;
        if (!last) coming = read(piece);
        const bytes = decodeBase64(data);
        if (bytes.length > 0) yield bytes;
      }
    } finally {
      close();
    }
  }
}
