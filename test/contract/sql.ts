// What every implementation of the Sql port must do alike. `withSql` hands a fresh, empty database to its
// argument, so that the suite also runs where a database exists only inside an object.

import { describe, expect, test } from "vitest";
import type { Sql } from "../../src/core/lib/sql.ts";

type WithSql = (body: (sql: Sql) => void) => void | Promise<void>;

type Case = readonly [title: string, body: (sql: Sql) => void];

const count = (sql: Sql): number =>
  sql.exec<{ count: number }>("SELECT count(*) AS count FROM item")[0]?.count ?? -1;
const insert = (sql: Sql, id: string): void => {
  sql.exec("INSERT INTO item (id) VALUES (?)", id);
};

const values: readonly Case[] = [
  [
    "text, integers, bytes and null come back as they went in",
    (sql) => {
      const data = new Uint8Array([0, 1, 255]);
      sql.exec("INSERT INTO item (id, size, data) VALUES (?, ?, ?)", "a", 2 ** 53 - 1, data);
      sql.exec("INSERT INTO item (id) VALUES (?)", "b");
      const rows = sql.exec("SELECT * FROM item ORDER BY id");
      expect(rows.map((row) => ({ ...row }))).toEqual([
        { id: "a", size: 2 ** 53 - 1, data },
        { id: "b", size: null, data: null },
      ]);
      expect(rows[0]?.data).toBeInstanceOf(Uint8Array);
    },
  ],

  [
    "text may hold any character but is compared by bytes",
    (sql) => {
      const ids = ["\u{1f600}", "\uffee", "é", "z", "a\u0001b", "a"];
      for (const id of ids) sql.exec("INSERT INTO item (id) VALUES (?)", id);
      const found = sql.exec<{ id: string }>("SELECT id FROM item ORDER BY id");
      expect(found.map(({ id }) => id)).toEqual(ids.toReversed());
    },
  ],

  [
    "an integer that a number cannot hold is an error",
    (sql) => {
      sql.exec("INSERT INTO item (id, size) VALUES ('a', 9007199254740993)");
      expect(() => sql.exec("SELECT size FROM item ORDER BY id")).toThrow(/\S/);
    },
  ],

  [
    "what is no value of SQLite is refused",
    (sql) => {
      for (const value of [true, undefined, 5n, Number.NaN, Infinity]) {
        expect(() => sql.exec("SELECT ? AS value", value as never)).toThrow(/\S/);
      }
    },
  ],

  [
    "a STRICT column refuses another type",
    (sql) => {
      expect(() => sql.exec("INSERT INTO item (id, size) VALUES ('a', 1.5)")).toThrow(/\S/);
      expect(() => sql.exec("INSERT INTO item (id, size) VALUES ('a', 'x')")).toThrow(/\S/);
    },
  ],
];

const statements: readonly Case[] = [
  [
    "a column is added to a strict table that has rows, as migrations do",
    (sql) => {
      insert(sql, "a");
      sql.exec("ALTER TABLE item ADD COLUMN kind TEXT");
      sql.exec("CREATE INDEX item_kind ON item (kind) WHERE kind IS NOT NULL");
      sql.exec("UPDATE item SET kind = ? WHERE (id) = (?)", "k", "a");
      expect(sql.exec("SELECT id FROM item WHERE kind = ? ORDER BY id", "k")).toEqual([
        { id: "a" },
      ]);
    },
  ],
  [
    "the size of a value can be asked without the value",
    (sql) => {
      insert(sql, "ä");
      const [row] = sql.exec("SELECT octet_length(id) AS id, octet_length(NULL) AS none FROM item");
      expect(row).toEqual({ id: 2, none: null });
    },
  ],
  [
    "which tables there are can be read",
    (sql) => {
      const named = (name: string) =>
        sql.exec("SELECT name FROM sqlite_master WHERE type = 'table' AND name = ?", name);
      expect(named("item")).toEqual([{ name: "item" }]);
      expect(named("none")).toEqual([]);
    },
  ],
  [
    "the number of parameters must match",
    (sql) => {
      expect(() => sql.exec("SELECT ? AS a, ? AS b", 1)).toThrow(/\S/);
      expect(() => sql.exec("SELECT ? AS a", 1, 2)).toThrow(/\S/);
    },
  ],

  [
    "RETURNING, UPSERT and row values work",
    (sql) => {
      const upsert =
        "INSERT INTO item (id, size) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET size = excluded.size";
      sql.exec(upsert, "a", 1);
      sql.exec(upsert, "a", 2);
      sql.exec(upsert, "b", 3);
      expect(sql.exec("DELETE FROM item WHERE id = ? RETURNING size", "a")[0]?.size).toBe(2);
      expect(
        sql.exec("SELECT id FROM item WHERE (id, size) > (?, ?) ORDER BY id", "a", 9),
      ).toHaveLength(1);
    },
  ],

  [
    "a statement without rows answers none",
    (sql) => {
      expect(sql.exec("INSERT INTO item (id) VALUES (?)", "a")).toEqual([]);
      expect(sql.exec("SELECT * FROM item WHERE id = ?", "zz")).toEqual([]);
    },
  ],

  [
    "what a Durable Object refuses is refused",
    (sql) => {
      expect(() => sql.exec("BEGIN")).toThrow(/\S/);
      expect(() => sql.exec("PRAGMA user_version = 3")).toThrow(/\S/);
      expect(() => sql.exec("CREATE TEMP TABLE t (a)")).toThrow(/\S/);
      const many = Array.from({ length: 101 }, () => "?").join(", ");
      expect(() => sql.exec(`SELECT ${many}`, ...many.split(", ").map(() => 1))).toThrow(/\S/);
    },
  ],

  [
    "a constraint that is violated says so",
    (sql) => {
      sql.exec("INSERT INTO item (id) VALUES ('a')");
      expect(() => sql.exec("INSERT INTO item (id) VALUES ('a')")).toThrow(/constraint/i);
    },
  ],
];

const transactions: readonly Case[] = [
  [
    "all or nothing, and the result is the body's",
    (sql) => {
      expect(sql.transaction(() => (insert(sql, "a"), "done"))).toBe("done");
      const failing = (): void =>
        sql.transaction(() => {
          insert(sql, "b");
          throw new Error("undo");
        });
      expect(failing).toThrow("undo");
      expect(count(sql)).toBe(1);
    },
  ],

  [
    "an inner one is undone alone",
    (sql) => {
      sql.transaction(() => {
        insert(sql, "a");
        const inner = (): void =>
          sql.transaction(() => {
            insert(sql, "b");
            throw new Error("undo");
          });
        expect(inner).toThrow("undo");
        sql.transaction(() => insert(sql, "c"));
      });
      expect(count(sql)).toBe(2);
    },
  ],

  [
    "undoing the outer one undoes the inner one",
    (sql) => {
      const outer = (): void =>
        sql.transaction(() => {
          sql.transaction(() => insert(sql, "a"));
          throw new Error("undo");
        });
      expect(outer).toThrow("undo");
      expect(count(sql)).toBe(0);
    },
  ],
];

const createItem =
  "CREATE TABLE item (id TEXT PRIMARY KEY, size INTEGER, data BLOB) STRICT, WITHOUT ROWID";

export function sqlContract(name: string, withSql: WithSql): void {
  describe.each([
    ["values", values],
    ["statements", statements],
    ["transactions", transactions],
  ] as const)(`sql on ${name}: %s`, (_group, cases) => {
    test.each(cases)("%s", async (_title, body) => {
      expect.hasAssertions();
      await withSql((sql) => {
        sql.exec(createItem);
        body(sql);
      });
    });
  });
}
