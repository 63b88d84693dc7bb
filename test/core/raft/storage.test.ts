import { raftStorageContract } from "../../contract/raft-storage.ts";
import { NodeSql } from "../../../durable/platform/node/sql.ts";

raftStorageContract("node:sqlite", (body) => {
  const sql = new NodeSql();
  try {
    body(sql);
  } finally {
    sql.close();
  }
});
