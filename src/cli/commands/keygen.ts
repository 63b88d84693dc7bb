// `keygen`: a new key for gossip.

import { randomBytes } from "node:crypto";

import { command } from "../command.ts";

const keyBytes = 32;

export default command({
  usage: ["keygen"],
  about: "Prints a new key of 32 bytes for the encryption of gossip, as -encrypt takes it.",
  asks: "nobody",
  flags: {},
  run({ print }) {
    print(randomBytes(keyBytes).toString("base64"));
    return Promise.resolve();
  },
});
