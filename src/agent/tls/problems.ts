// Why a handshake failed, in plain words. What only says that the other end went away is not worth a line.

const reasons: Readonly<Record<string, string>> = {
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: "the client shows no certificate",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "the client speaks only a TLS version below tls_min_version",
  ERR_SSL_NO_SHARED_CIPHER: "no cipher suite in common, or no certificate is configured",
  ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM:
    "no cipher suite in common, or no certificate is configured",
  ERR_SSL_NO_APPLICATION_PROTOCOL: "the client does not speak HTTP/1.1",
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: "the client does not trust this agent's certificate",
  "ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE": "the client refused this agent's certificate",
};

const certificateReasons: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "the certificate has expired",
  CERT_NOT_YET_VALID: "the certificate is not yet valid",
  INVALID_PURPOSE: "the certificate is not for this purpose",
};

const foreign = "the certificate was signed by an unknown authority";

const unknownAuthority = new Set([
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "CERT_SIGNATURE_FAILURE",
]);

const gone = new Set(["ECONNRESET", "EPIPE", "ETIMEDOUT"]);

/** Null when the other end has only gone away. `authorization`: what Node found wrong with the certificate. */
export function handshakeProblem(failure: Error, authorization: unknown = null): string | null {
  const { code = "" } = failure as NodeJS.ErrnoException;
  const refused = typeof authorization === "string" ? certificateProblem(authorization) : null;
  if (refused !== null) return refused;
  if (gone.has(code)) return null;
  if (Object.hasOwn(reasons, code)) return reasons[code] ?? "";
  return certificateProblem(code) ?? opensslReason.exec(failure.message)?.[1] ?? failure.message;
}

const opensslReason = /^[0-9A-F]+:error:[^:]*:[^:]*:[^:]*:([^:]*):/;

/** Null for a code that says nothing of a certificate. */
export function certificateProblem(code: string): string | null {
  if (unknownAuthority.has(code)) return foreign;
  return certificateReasons[code] ?? null;
}
