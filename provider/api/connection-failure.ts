import type { HttpProxy } from "./proxy";

/** Why a connection failed, in words for the user. */
export interface ConnectionFailure {
  readonly reason: string;
  /** Whether a retry would fail in the same way, for example because TLS fails or a proxy refuses. */
  readonly lasting: boolean;
  /** What failed, if it was not the network: TLS with the endpoint, or the proxy. */
  readonly obstacle?: "tls" | "proxy" | undefined;
}

/** No connection could be made, so nothing was sent. */
export class ConnectError extends Error implements ConnectionFailure {
  readonly reason: string;
  readonly lasting: boolean;
  readonly obstacle: ConnectionFailure["obstacle"];

  constructor({ reason, lasting, obstacle }: ConnectionFailure, options?: ErrorOptions) {
    super(reason, options);
    this.reason = reason;
    this.lasting = lasting;
    this.obstacle = obstacle;
  }
}

// Node's names for OpenSSL's certificate errors, and Node's own code for a wrong host name.
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

const wrongTimeRemedy = "Check the clock of this computer. If it is right, the owner must renew the certificate";
const unknownAuthorityRemedy =
  "If you trust it, for example behind a company proxy, set NODE_EXTRA_CA_CERTS to a PEM file with the certificate of " +
  "the authority that issued it, and run the command again";

/**
 * Explains an error of Node or undici.
 *
 * @param requestSent whether the request was sent, so that a connection existed
 * @param proxy the proxy, if it was the proxy that could not be reached
 */
export function explainConnectionFailure(error: unknown, requestSent: boolean, proxy?: HttpProxy): ConnectionFailure {
  if (error instanceof ConnectError) {
    return error;
  }
  const failure: ConnectionFailure = requestSent
    ? { reason: describeProblem(error), lasting: false }
    : explainMissingConnection(error, proxy);
  return proxy === undefined ? failure : { ...failure, reason: `${proxy.label}: ${failure.reason}`, obstacle: "proxy" };
}

function explainMissingConnection(error: unknown, proxy: HttpProxy | undefined): ConnectionFailure {
  const code = textOf(error, "code");
  if (certificateCodes.has(code)) {
    const reason = `the certificate is not trusted (${describeProblem(error)}). ${certificateRemedy(code, proxy)}`;
    return { reason, lasting: true, obstacle: "tls" };
  }
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER") {
    const what = proxy === undefined ? "an endpoint" : "a proxy";
    return {
      reason: `it does not speak TLS. Write http:// in front of ${what} without TLS`,
      lasting: true,
      obstacle: "tls",
    };
  }
  if (code.startsWith("ERR_SSL_") || code === "EPROTO") {
    return { reason: `TLS failed (${describeProblem(error)})`, lasting: true, obstacle: "tls" };
  }
  return { reason: describeProblem(error), lasting: false };
}

function certificateRemedy(code: string, proxy: HttpProxy | undefined): string {
  switch (code) {
    case "ERR_TLS_CERT_ALTNAME_INVALID":
    case "HOSTNAME_MISMATCH":
      return `It belongs to another host name${proxy === undefined ? "" : ". Check the variable"}`;
    case "CERT_HAS_EXPIRED":
    case "CERT_NOT_YET_VALID":
      return wrongTimeRemedy;
    default:
      return unknownAuthorityRemedy;
  }
}

/** Returns what an error of Node or undici says, in one line. */
export function describeProblem(error: unknown): string {
  // When several addresses (IPv6, IPv4) fail, Node throws one error without a message that holds all of them.
  if (typeof error === "object" && error !== null && "errors" in error && Array.isArray(error.errors)) {
    return error.errors.map(describeProblem).join("; ");
  }
  const code = textOf(error, "code");
  // `reason` has OpenSSL's words. The message adds memory addresses and line numbers to them.
  const message = (code.startsWith("ERR_SSL_") && textOf(error, "reason")) || textOf(error, "message");
  return code === "UND_ERR_SOCKET" ? `${message} (${code})` : message || code || String(error);
}

// Not `instanceof`: Jest loads modules into a context of its own, where Node's errors belong to another realm.
function textOf(error: unknown, name: "code" | "message" | "reason"): string {
  return typeof error === "object" && error !== null && name in error ? String(Reflect.get(error, name)) : "";
}
