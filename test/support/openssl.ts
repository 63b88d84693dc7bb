// OpenSSL's own program as a judge of certificates.

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * "OK" when whoever trusts only `root` believes the first certificate of `chain`, which brings the others along; both
 * in PEM, kept in `directory`. Throws with what OpenSSL says otherwise.
 */
export function verified(chain: string, root: string, directory: string): string {
  const [leaf = "", ...others] = chain.split(/(?=-----BEGIN)/);
  const written = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };
  const leafPath = written("leaf.pem", leaf);
  const trust = ["-CAfile", written("root.pem", root)];
  if (others.length > 0) trust.push("-untrusted", written("others.pem", others.join("")));
  const printed = execFileSync("openssl", ["verify", "-x509_strict", ...trust, leafPath]);
  return String(printed).trim().replace(`${leafPath}: `, "");
}
