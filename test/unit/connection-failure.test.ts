import { ConnectError, explainConnectionFailure } from "../../provider/api/connection-failure";
import { findProxy } from "../../provider/api/proxy";

function failure(code: string, message = "the message", more: Record<string, unknown> = {}): Error {
  return Object.assign(new Error(message), { code, ...more });
}

test.each([
  ["DEPTH_ZERO_SELF_SIGNED_CERT", /not trusted .*NODE_EXTRA_CA_CERTS/],
  ["SELF_SIGNED_CERT_IN_CHAIN", /not trusted .*NODE_EXTRA_CA_CERTS/],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", /not trusted .*NODE_EXTRA_CA_CERTS/],
  ["CERT_HAS_EXPIRED", /not trusted .*renew/],
  ["ERR_TLS_CERT_ALTNAME_INVALID", /not trusted .*another host name$/],
  ["ERR_SSL_WRONG_VERSION_NUMBER", /Write http:\/\/ in front of an endpoint without TLS$/],
  ["EPROTO", /TLS failed/],
])("%s before the request was sent is lasting, and the message names its fix", (code, reason) => {
  expect(explainConnectionFailure(failure(code), false)).toEqual({
    reason: expect.stringMatching(reason),
    lasting: true,
    obstacle: "tls",
  });
});

test.each([
  ["ERR_TLS_CERT_ALTNAME_INVALID", /not trusted .*Check the variable$/],
  ["ERR_SSL_WRONG_VERSION_NUMBER", /Write http:\/\/ in front of a proxy without TLS$/],
  ["ECONNREFUSED", /the message$/],
])("%s on the way to a proxy names the proxy and its variable", (code, reason) => {
  const proxy = findProxy("https://agb.example", { HTTPS_PROXY: "https://me:hidden@proxy.example:3128" });
  const explained = explainConnectionFailure(failure(code), false, proxy);
  expect(explained.reason).toMatch(/^the proxy https:\/\/proxy\.example:3128 \(HTTPS_PROXY\): /);
  expect(explained.reason).toMatch(reason);
  expect(explained.obstacle).toBe("proxy");
});

test("an explained failure is not explained again", () => {
  const known = new ConnectError({ reason: "the proxy refuses", lasting: true });
  expect(explainConnectionFailure(known, false)).toMatchObject({ reason: "the proxy refuses", lasting: true });
});

test.each(["ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "UND_ERR_CONNECT_TIMEOUT"])(
  "%s may have passed at the next attempt",
  (code) => {
    expect(explainConnectionFailure(failure(code), false)).toEqual({ reason: "the message", lasting: false });
  },
);

test("a TLS connection that broke may be retried", () => {
  expect(explainConnectionFailure(failure("ERR_SSL_BAD_RECORD_TYPE"), true).lasting).toBe(false);
});

test("OpenSSL's message is shown without positions in its source", () => {
  const message =
    "40E7:error:0A00042E:SSL routines:ssl3_read_bytes:tlsv1 alert protocol version:rec_layer_s3.c:1605:\n";
  const error = failure("ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", message, { reason: "tlsv1 alert protocol version" });
  expect(explainConnectionFailure(error, false).reason).toBe("TLS failed (tlsv1 alert protocol version)");
});

test("the failures of several addresses are shown together", () => {
  const error = Object.assign(new AggregateError([failure("ECONNREFUSED", "one"), failure("ECONNREFUSED", "two")]), {
    code: "ECONNREFUSED",
  });
  expect(explainConnectionFailure(error, false)).toEqual({ reason: "one; two", lasting: false });
});

test("a thrown value that is not an error is shown unchanged", () => {
  expect(explainConnectionFailure("a thrown string", false)).toEqual({ reason: "a thrown string", lasting: false });
});
