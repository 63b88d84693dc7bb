// `/v1/kv`, described.

import { kvEntrySchema } from "../../../core/model/schemas.ts";
import { done, items, json } from "../operation.ts";
import type { Routes } from "../operation.ts";
import { compareAndSet, dc, reading } from "../parameters.ts";
import { string, strings } from "../shapes.ts";

const path = {
  key: "The key; slashes are part of it. It may be empty where a prefix is asked for.",
};
const separator = { shape: string, description: "Keys are cut off after it, and listed once." };
const recurse = { shape: { kind: "presence" }, description: "Everything below the key." } as const;

export const kvRoutes = {
  "/v1/kv/{key}": {
    GET: {
      summary: "Read a key, or those below it",
      path,
      query: {
        ...reading,
        keys: { shape: { kind: "presence" }, description: "Only the names of the keys below." },
        recurse,
        raw: { shape: { kind: "presence" }, description: "Only the value, as it is." },
        separator,
        seperator: { ...separator, description: "The same, as it was once misspelled." },
      },
      answers: {
        200: json(items(kvEntrySchema)),
        404: { as: "empty", description: "There is no such key." },
      },
      when: { keys: json(strings), raw: { as: "bytes" } },
      indexed: true,
    },
    PUT: {
      summary: "Write a key",
      path,
      query: {
        ...dc,
        ...compareAndSet,
        flags: { shape: { kind: "uint64" }, description: "A number that is kept with the value." },
        acquire: { shape: string, description: "A session, which takes the lock on the key." },
        release: { shape: string, description: "A session, which gives the lock back." },
      },
      body: { content: { as: "bytes" }, optional: true },
      answers: { 200: done },
    },
    DELETE: {
      summary: "Delete a key, or those below it",
      path,
      query: { ...dc, ...compareAndSet, recurse },
      answers: { 200: done },
    },
  },
} as const satisfies Routes;
