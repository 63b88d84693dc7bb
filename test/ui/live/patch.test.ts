// What is sent of a body makes the body again, with the same objects for rows that are the same.

import { expect, test } from "vitest";

import { patched, SentBody } from "../../../src/ui/live/patch.ts";
import { fc } from "../support/check.ts";

interface Row {
  Name: string;
  Count: number;
}

const row = fc.record({ Name: fc.constantFrom("a", "b", "c", "d", "e", "f"), Count: fc.nat(2) });
const list = fc.uniqueArray(row, { selector: ({ Name }) => Name });

test("whatever changes, the page has what the API has, and rows that are the same stay", () => {
  fc.assert(
    fc.property(fc.array(list, { maxLength: 8 }), (bodies) => {
      const sent = new SentBody("Name");
      let shown: Row[] = [];
      for (const body of bodies) {
        const before = new Map(shown.map((one) => [one.Name, one]));
        const text = JSON.stringify(body);
        const patch = structuredClone(sent.patch(text, JSON.parse(text)));
        shown = patched(shown, patch, "Name") as Row[];
        expect(shown).toEqual(body);
        for (const one of shown) {
          const old = before.get(one.Name);
          if (old?.Count === one.Count) expect(one).toBe(old);
        }
      }
    }),
  );
});

test("a body that is no list is sent whole, and not again while it is the same", () => {
  const sent = new SentBody(undefined);
  expect(sent.patch("1", 1)).toEqual({ kind: "whole", body: 1 });
  expect(sent.patch("1", 1)).toEqual({ kind: "same" });
  expect(sent.patch("2", 2)).toEqual({ kind: "whole", body: 2 });
});

test("of ten thousand rows one that changed is sent alone", () => {
  const sent = new SentBody("Name");
  const rows = Array.from({ length: 10_000 }, (_, at) => ({ Name: `s${at}`, Count: 0 }));
  sent.patch(JSON.stringify(rows), rows);
  const next = rows.with(5_000, { Name: "s5000", Count: 1 });
  expect(sent.patch(JSON.stringify(next), next)).toEqual({
    ...{ kind: "rows", order: null },
    changed: [{ Name: "s5000", Count: 1 }],
  });
});
