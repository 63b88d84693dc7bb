// Go's words for what OpenSSL and Node say when a TLS connection to somebody fails.

const certificateReasons: Readonly<Record<string, string>> = {
  SELF_SIGNED_CERT_IN_CHAIN: "x509: certificate signed by unknown authority",
  DEPTH_ZERO_SELF_SIGNED_CERT: "x509: certificate signed by unknown authority",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "x509: certificate signed by unknown authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "x509: certificate signed by unknown authority",
  CERT_HAS_EXPIRED: "x509: certificate has expired or is not yet valid",
  CERT_NOT_YET_VALID: "x509: certificate has expired or is not yet valid",
};

/** Null for what is none of TLS. */
export function tlsFailure(failure: Error): string | null {
  const { code = "", host, cert } = failure as NodeJS.ErrnoException & NameMismatch;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    const names = [...(cert?.subjectaltname ?? "").matchAll(/(?:DNS|IP Address):([^,]+)/g)];
    const valid = names.map(([, name]) => name).join(", ");
    return `x509: certificate is valid for ${valid}, not ${(host ?? "").replace(/\.$/, "")}`;
  }
  const alert = /SSL routines:[^:]*:(?:tlsv1|tlsv13|sslv3|ssl\/tls) alert ([^:]+):/;
  const [, said] = alert.exec(failure.message) ?? [];
  return certificateReasons[code] ?? (said === undefined ? null : `remote error: tls: ${said}`);
}

/** What Node says beside the code when a certificate has other names. */
interface NameMismatch {
  host?: string;
  cert?: { subjectaltname?: string };
}
