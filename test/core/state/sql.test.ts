import { sqlContract } from "../../contract/sql.ts";
import { NodeSql } from "../../../durable/platform/node/sql.ts";

sqlContract("node:sqlite", (body) => {
  const sql = new NodeSql();
  try {
    body(sql);
  } finally {
    sql.close();
  }
});
