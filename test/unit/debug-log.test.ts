import * as fc from "fast-check";
import { keySecret } from "../../provider/api/known-secrets";
import { cleanerFor } from "../../provider/api/outside-text";
import { describeExchange } from "../../provider/kinds/log";

const key = "ako-very-secret";

/** What the log shows of an exchange. */
function logged(over: Partial<Parameters<typeof describeExchange>[0]> = {}): string {
  const clean = cleanerFor([keySecret(key)]);
  const line = describeExchange({
    operation: "getSession",
    status: 200,
    durationMs: 12.4,
    sent: {},
    received: undefined,
    clean,
    ...over,
  });
  expect(line).not.toContain("\n");
  return line;
}

test("an exchange is one line with operation, status, duration, request and reply", () => {
  const received = { success: true, code: "ok", requestId: "R-1", data: { sessionId: "session-1", token: "s3cret" } };
  expect(logged({ sent: { sessionId: "session-1" }, received })).toBe(
    'getSession HTTP 200 in 12 ms: {"sessionId":"session-1"} <- ' +
      '{"success":true,"code":"ok","requestId":"R-1","data":{"sessionId":"session-1","token":"***"}}',
  );
});

test("a request without a reply is shown without one", () => {
  expect(logged({ status: 0 })).toBe("getSession HTTP 0 in 12 ms: {}");
});

test.each([
  ["resourceUrl", { data: { resourceUrl: "https://s3cret" } }],
  ["token and authCode", { data: { token: "s3cret", authCode: "s3cret", ticket: "s3cret" } }],
  ["labels as text", { data: { labels: '{"team":"s3cret"}' } }],
  ["labels as an object, whatever their names", { data: { labels: { code: "s3cret", status: "s3cret" } } }],
  ["AGB's own words", { message: "no link https://s3cret", data: { errMsg: "s3cret" } }],
  ["an object where a text belongs", { code: { inner: "s3cret" } }],
  ["a list of texts", { data: ["s3cret", { sessionStatus: "RUNNING", link: "s3cret" }] }],
  ["a reply that is a text", "s3cret"],
])("the value is masked: %s", (_, received) => {
  expect(logged({ received })).not.toContain("s3cret");
});

test("labels that are sent are masked in both spellings", () => {
  expect(logged({ sent: { labels: '{"team":"s3cret"}', Labels: '{"team":"s3cret"}' } })).toBe(
    'getSession HTTP 200 in 12 ms: {"labels":"***","Labels":"***"}',
  );
});

test("a key that a server repeats is masked, wherever it stands", () => {
  const received = { code: `InvalidApiKey.${key}`, requestId: key, [key]: 1, data: { sessionId: `x${key}y` } };
  expect(logged({ received })).not.toContain(key);
});

/** Names that AGB is known to use, and any others; the values all carry the mark of a secret. */
const secretFields = ["token", "authCode", "ticket", "resourceUrl", "url", "wsUrl", "link", "labels", "message", "key"];
const shownNames = ["success", "code", "requestId", "sessionId", "sessionStatus", "status", "count", "data", "body"];
const harmlessValue = fc.oneof(fc.boolean(), fc.integer(), fc.constant(null), fc.constantFrom("ok", "RUNNING"));
const secretValue = fc.string().map((text) => `s3cret${text}`);

// Without these limits a reply has tens of thousands of characters, and most of the time goes into making it.
const fewKeys = { maxKeys: 4 };
const oneOfFewLevels = { nil: undefined, maxDepth: 3, depthIdentifier: fc.createDepthIdentifier() };

const { reply } = fc.letrec<{ reply: unknown; inside: unknown }>((tie) => ({
  // Anything below a name that is not AGB's envelope, where even harmless names hold secrets.
  inside: fc.oneof(
    { depthSize: "small" },
    secretValue,
    fc.array(tie("inside"), { maxLength: 3 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...secretFields, ...shownNames), fc.string()), tie("inside"), fewKeys),
  ),
  reply: fc
    .tuple(
      fc.dictionary(fc.constantFrom("success", "code", "requestId", "sessionId", "status"), harmlessValue),
      fc.dictionary(
        fc.oneof(fc.constantFrom(...secretFields), fc.string()).filter((name) => !shownNames.includes(name)),
        tie("inside"),
        fewKeys,
      ),
      fc.option(tie("reply"), oneOfFewLevels),
      fc.option(fc.array(tie("reply"), { maxLength: 3 }), oneOfFewLevels),
    )
    .map(([shown, secret, data, body]) => ({ ...secret, ...shown, data, body })),
}));

test("no reply makes the log show a secret", () => {
  fc.assert(
    fc.property(reply, (received) => {
      expect(logged({ received, sent: received as Record<string, unknown> })).not.toContain("s3cret");
    }),
    { numRuns: 300 },
  );
});
