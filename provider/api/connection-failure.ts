/** Why a connection failed, in words for the user. */
export interface ConnectionFailure {
  readonly reason: string;
  /** Whether it will fail in the same way again, however long one waits: TLS could not be agreed on. */
  readonly lasting: boolean;
}

// The codes that Node gives to what OpenSSL says of a certificate, and its own for a wrong host name.
const certificateCodes = new Set([
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_DECRYPT_CERT_SIGNATURE",
  "UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "CERT_SIGNATURE_FAILURE",
  "CERT_NOT_YET_VALID",
  "CERT_HAS_EXPIRED",
  "CERT_CHAIN_TOO_LONG",
  "CERT_REVOKED",
  "CERT_UNTRUSTED",
  "CERT_REJECTED",
  "ERROR_IN_CERT_NOT_BEFORE_FIELD",
  "ERROR_IN_CERT_NOT_AFTER_FIELD",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "INVALID_CA",
  "INVALID_PURPOSE",
  "PATH_LENGTH_EXCEEDED",
  "HOSTNAME_MISMATCH",
  "UNSPECIFIED",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);

const wrongHostRemedy = "It is for another host name: check the endpoint";
const wrongTimeRemedy = "Its owner must renew it, unless the clock of this computer is wrong";
const unknownAuthorityRemedy =
  "Where it is right, as behind a company's proxy, set NODE_EXTRA_CA_CERTS to a PEM file with the certificate of the " +
  "authority that issued it, before the command starts";

const remedies: Readonly<Record<string, string>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: wrongHostRemedy,
  HOSTNAME_MISMATCH: wrongHostRemedy,
  CERT_HAS_EXPIRED: wrongTimeRemedy,
  CERT_NOT_YET_VALID: wrongTimeRemedy,
};

/**
 * Explains an error of Node or undici.
 *
 * @param requestSent whether the request was on its way, so that the connection stood once
 */
export function explainConnectionFailure(error: unknown, requestSent: boolean): ConnectionFailure {
  const code = textOf(error, "code");
  if (requestSent) {
    return { reason: describe(error), lasting: false };
  }
  if (certificateCodes.has(code)) {
    const remedy = remedies[code] ?? unknownAuthorityRemedy;
    return { reason: `the certificate is not trusted (${describe(error)}). ${remedy}`, lasting: true };
  }
  // How undici tells of a proxy's certificate for another host name.
  if (code === "UND_ERR_PRX_TLS") {
    return { reason: "the certificate of the proxy is not trusted: it is for another host name", lasting: true };
  }
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER") {
    return { reason: "it does not speak TLS; an endpoint without TLS needs http:// in front", lasting: true };
  }
  if (code.startsWith("ERR_SSL_") || code === "EPROTO") {
    return { reason: `TLS failed (${describe(error)})`, lasting: true };
  }
  return { reason: describe(error), lasting: false };
}

function describe(error: unknown): string {
  // Node gathers the failures of several addresses (IPv6, IPv4) in one error without a message.
  if (typeof error === "object" && error !== null && "errors" in error && Array.isArray(error.errors)) {
    return error.errors.map(describe).join("; ");
  }
  const code = textOf(error, "code");
  // OpenSSL's words; the message adds addresses in memory and lines of its source.
  const message = (code.startsWith("ERR_SSL_") && textOf(error, "reason")) || textOf(error, "message");
  return code === "UND_ERR_SOCKET" ? `${message} (${code})` : message || code || String(error);
}

// Not `instanceof`: Node's own errors are of another realm where modules are loaded into a context, as test runners do.
function textOf(error: unknown, name: "code" | "message" | "reason"): string {
  return typeof error === "object" && error !== null && name in error ? String(Reflect.get(error, name)) : "";
}
