import { sqlContract } from "../../contract/sql.ts";
import { NodeSql } from "../../support/node-sql.ts";

sqlContract("node:sqlite", (body) => {
  const sql = new NodeSql();
  try {
    body(sql);
  } finally {
    sql.close();
  }
});
