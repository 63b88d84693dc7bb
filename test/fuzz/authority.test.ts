// What datacenters say to each other about certificates, nearly right and not: the primary signs or refuses, and the
// secondary believes only what holds.

import * as fc from "fast-check";
import { beforeAll, expect, test } from "vitest";

import { decodeAuthorityQuestion } from "../../durable/leader/authority/questions.ts";
import { createIntermediateRequest } from "../../src/connect/intermediates.ts";
import { generateKey } from "../../src/connect/keys.ts";
import { decodePem, encodePem } from "../../src/connect/pem.ts";
import { ServiceError } from "../../src/core/model/errors.ts";
import { AuthorityHarness, isChain } from "../support/authorities.ts";
import { damaged, fuzz, limitMs } from "../support/fuzz.ts";

const clusterId = "11111111-2222-3333-4444-555555555555";
const encoder = new TextEncoder();
const decoder = new TextDecoder();

let near: AuthorityHarness;
let request: string;

beforeAll(async () => {
  near = new AuthorityHarness("dc1", { clusterId });
  near.secondaries = ["dc2"];
  await near.authority.initialize();
  await near.configure({ CSRMaxPerSecond: 0 });
  const key = await generateKey("ec", 256);
  request = await createIntermediateRequest(key, { clusterId, unique: "x" });
});

function damagedText(text: string): fc.Arbitrary<string> {
  return damaged(fc.constant(encoder.encode(text))).map((bytes) => decoder.decode(bytes));
}

test(
  "questions are asked, or no questions",
  async () => {
    const asked = fc.constantFrom({ ask: "root" }, { ask: "sign", from: "dc2", csr: "x" }, null, 7);
    const texts = asked.chain((question) => damagedText(JSON.stringify(question)));
    await fuzz("questions for an authority", texts, async (text) => {
      await Promise.resolve();
      try {
        const question = decodeAuthorityQuestion(JSON.parse(text));
        expect(["root", "sign"]).toContain(question.ask);
      } catch (failure) {
        expect(failure).toBeInstanceOf(SyntaxError);
      }
    });
  },
  limitMs,
);

test(
  "a damaged request is refused, or signed under the root",
  async () => {
    const der = damaged(fc.constant(decodePem(request)?.bytes ?? new Uint8Array(0)));
    const texts = fc.oneof(
      damagedText(request),
      der.map((bytes) => encodePem("CERTIFICATE REQUEST", Uint8Array.from(bytes))),
    );
    await fuzz("requests for an intermediate certificate", texts, async (csr) => {
      try {
        const answer = await near.authority.answer({ ask: "sign", from: "dc2", csr });
        if (!("certificate" in answer)) throw new Error("that is no certificate");
        expect(isChain(answer.certificate, near.active.RootCert)).toBe(true);
      } catch (failure) {
        expect(failure).toBeInstanceOf(ServiceError);
      }
    });
  },
  limitMs,
);

test(
  "a damaged answer is not believed, or good",
  async () => {
    const edits = fc.array(fc.tuple(fc.nat({ max: 9_999 }), fc.nat({ max: 94 })), { maxLength: 2 });
    await fuzz("answers of a primary", edits, async (some) => {
      const reached = near.reached();
      const far = new AuthorityHarness(
        "dc2",
        {},
        {
          name: "dc1",
          ask: async (question) => {
            const text = JSON.stringify(await reached.ask(question));
            return question.ask === "root" ? JSON.parse(text) : JSON.parse(edited(text, some));
          },
        },
      );
      try {
        await far.authority.follow();
        await requireSound(far);
      } finally {
        far.state.sql.close();
      }
    });
  },
  limitMs,
);

/** Either it has nothing of what it was told, and says so, or all of it holds. */
async function requireSound(far: AuthorityHarness): Promise<void> {
  if (far.roots.ActiveRootID === "") {
    expect(far.logged[0]).toMatch(/^warn cannot get an intermediate certificate/);
    await expect(far.issue()).rejects.toThrow("internal error: CA root is nil");
    return;
  }
  expect(far.roots.TrustDomain).toBe(`${clusterId}.consul`);
  expect(isChain((await far.issue()).certPem, far.active.RootCert)).toBe(true);
}

/** The text with other characters at some places. */
function edited(text: string, edits: readonly [at: number, code: number][]): string {
  const characters = text.split("");
  for (const [at, code] of edits) characters[at % text.length] = String.fromCharCode(32 + code);
  return characters.join("");
}
