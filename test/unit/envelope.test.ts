import { type HttpReply, readEnvelope, type VerdictRules } from "../../provider/api/envelope";
import {
  AgbApiError,
  AgbAuthenticationError,
  AgbNotFoundError,
  AgbUnexpectedReplyError,
} from "../../provider/api/errors";
import { sessionGoneCodes } from "../../provider/api/gone";

const getSession: VerdictRules = { name: "getSession", goneCodes: sessionGoneCodes, innerVerdict: false };
const createSession: VerdictRules = { name: "createSession", goneCodes: [], innerVerdict: true };

function reply(body: unknown, status = 200, headers: Partial<HttpReply> = {}): HttpReply {
  return { status, text: typeof body === "string" ? body : JSON.stringify(body), ...headers };
}

function failureOf(rules: VerdictRules, received: HttpReply): Error {
  try {
    readEnvelope(rules, received);
  } catch (error) {
    return error as Error;
  }
  throw new Error("the reply was taken for a success");
}

describe("a success", () => {
  test("returns the data and unknown fields", () => {
    const envelope = readEnvelope(getSession, reply({ success: true, code: "ok", data: { a: 1 }, novelty: "x" }));
    expect(envelope).toMatchObject({ success: true, data: { a: 1 }, novelty: "x" });
  });

  test.each([
    ["wrapped in a body", { body: { success: true, data: "x" } }],
    ["wrapped beside headers", { headers: {}, statusCode: 200, body: { success: true, data: "x" } }],
    ["in PascalCase", { Success: true, Code: "ok", Data: "x" }],
    ["wrapped and in PascalCase", { Body: { Success: true, Data: "x" } }],
  ])("is understood %s", (_, body) => {
    expect(readEnvelope(getSession, reply(body)).data).toBe("x");
  });

  test("keeps a field named body", () => {
    expect(readEnvelope(getSession, reply({ success: true, body: { success: false }, data: 1 })).data).toBe(1);
  });

  test("stays a success if the operation has no inner verdict", () => {
    expect(() => readEnvelope(getSession, reply({ success: true, data: { success: false } }))).not.toThrow();
  });
});

describe("a refusal", () => {
  test("contains AGB's code, message, status and request id", () => {
    const error = failureOf(
      getSession,
      reply({ success: false, code: "Throttling", message: "slow down", requestId: "R-1" }, 429),
    );
    expect(error).toBeInstanceOf(AgbApiError);
    expect(error).toMatchObject({ code: "Throttling", reason: "slow down", status: 429, requestId: "R-1" });
    expect(error.message).toBe("AGB refused getSession: slow down (code Throttling, HTTP 429, request id R-1)");
    expect(error.name).toBe("AgbApiError");
  });

  test("in the envelope counts although the HTTP status is good", () => {
    expect(failureOf(getSession, reply({ success: false, message: "no" }))).toMatchObject({ status: 200 });
  });

  test("by HTTP status counts although the envelope says success", () => {
    expect(failureOf(createSession, reply({ success: true, data: { sessionId: "session-1" } }, 500))).toMatchObject({
      status: 500,
      sessionId: "session-1",
    });
  });

  test("takes the request id from the header when the body has none", () => {
    const error = failureOf(getSession, reply({ success: false }, 400, { requestIdHeader: "H-1" }));
    expect(error).toMatchObject({ requestId: "H-1" });
    expect(error.message).toBe("AGB refused getSession: no reason given (HTTP 400, request id H-1)");
  });

  test("contains how long AGB asked to wait", () => {
    const error = failureOf(getSession, reply({ success: false }, 503, { retryAfterHeader: "7" }));
    expect(error).toMatchObject({ retryAfterMs: 7_000 });
  });

  test("in the data of a create is found, with AGB's message and without the misleading code ok", () => {
    const error = failureOf(
      createSession,
      reply({ success: true, code: "ok", message: "outer", data: { success: false, errMsg: "image unknown" } }),
    );
    expect(error).toMatchObject({ code: "", reason: "image unknown", sessionId: undefined });
    expect(error.message).not.toContain("ok");
  });

  test("in the data of a create falls back to the outer message", () => {
    expect(
      failureOf(createSession, reply({ success: true, message: "outer", data: { success: false } })),
    ).toMatchObject({ reason: "outer" });
  });

  test.each([
    ["by the inner verdict", 200, { success: true, data: { success: false, sessionId: "session-9" } }],
    ["by the outer verdict", 200, { success: false, data: { sessionId: "session-9" } }],
    ["by the HTTP status", 502, { success: true, data: { success: true, sessionId: "session-9" } }],
    ["wrapped in a body", 400, { body: { success: false, data: { sessionId: "session-9" } } }],
  ])("of a create %s contains the session that the reply names", (_, status, body) => {
    expect(failureOf(createSession, reply(body, status))).toMatchObject({ sessionId: "session-9" });
  });

  test("of another call names no session, because it created none", () => {
    expect(failureOf(getSession, reply({ success: false, data: { sessionId: "session-9" } }))).toMatchObject({
      sessionId: undefined,
    });
  });
});

describe("an authentication failure", () => {
  test.each([
    [400, "NOT_LOGIN"],
    [200, "NOT_LOGIN"],
    [400, "AccessDenied"],
    [400, "AccessDenied.Region"],
    [400, "InvalidApiKey.Expired"],
    [400, "Forbidden"],
    [400, "Unauthorized"],
    [401, ""],
    [403, "Whatever"],
  ])("is recognised by HTTP %i with the code %j", (status, code) => {
    expect(failureOf(getSession, reply({ success: false, code }, status))).toBeInstanceOf(AgbAuthenticationError);
  });

  test.each([401, 403])("with HTTP %i is never a session that is gone, whatever the code says", (status) => {
    const error = failureOf(getSession, reply({ success: false, code: "InvalidMcpSession.NotFound" }, status));
    expect(error).toBeInstanceOf(AgbAuthenticationError);
    expect(error).not.toBeInstanceOf(AgbNotFoundError);
  });

  test("is also recognised by the HTTP status of a proxy's page", () => {
    expect(failureOf(getSession, reply("<h1>Forbidden</h1>", 403))).toBeInstanceOf(AgbAuthenticationError);
  });

  test("is not recognised by a code that only begins in the same way", () => {
    expect(failureOf(getSession, reply({ success: false, code: "NOT_LOGIN_YET" }, 400))).not.toBeInstanceOf(
      AgbAuthenticationError,
    );
  });
});

describe("a session that is gone", () => {
  test.each(sessionGoneCodes)("is recognised by the code %s", (code) => {
    expect(failureOf(getSession, reply({ success: false, code }, 400))).toBeInstanceOf(AgbNotFoundError);
    expect(failureOf(getSession, reply({ success: false, code }, 200))).toBeInstanceOf(AgbNotFoundError);
  });

  test.each([
    ["a message that says so", 400, { success: false, code: "Whatever", message: "Resource is not found." }],
    ["HTTP 404 alone", 404, { success: false }],
    ["a call that is not deployed", 404, { success: false, code: "InvalidAction.NotFound" }],
    ["a server that failed", 500, { success: false, code: "InvalidMcpSession.NotFound" }],
    ["a proxy's page", 404, "<html><h1>404 Not Found</h1> InvalidMcpSession.NotFound</html>"],
    ["a JSON text that is no envelope", 404, '"InvalidMcpSession.NotFound"'],
  ])("is not recognised by %s", (_, status, body) => {
    const error = failureOf(getSession, reply(body, status));
    expect(error).toBeInstanceOf(AgbApiError);
    expect(error).not.toBeInstanceOf(AgbNotFoundError);
  });

  test("is never the result of a create", () => {
    expect(
      failureOf(createSession, reply({ success: false, code: "InvalidMcpSession.NotFound" }, 400)),
    ).not.toBeInstanceOf(AgbNotFoundError);
  });
});

describe("a reply that is not AGB's", () => {
  test.each([
    ["an empty body", ""],
    ["a page of a captive portal", "<html>Welcome</html>"],
    ["a list", "[]"],
    ["null", "null"],
    ["half an envelope", '{"success":true,"da'],
    ["an envelope without a verdict", "{}"],
    ["a verdict that is a text", '{"success":"yes"}'],
  ])("with a good HTTP status is an unexpected reply: %s", (_, body) => {
    expect(failureOf(getSession, reply(body, 200, { requestIdHeader: "H-2" }))).toMatchObject({
      name: "AgbUnexpectedReplyError",
      status: 200,
      requestId: "H-2",
    });
  });

  test("with a bad HTTP status is a refusal that points at a proxy and does not repeat its page", () => {
    const error = failureOf(getSession, reply("<h1>502 Bad Gateway</h1>", 502));
    expect(error.message).toBe(
      "AGB refused getSession: the body is not AGB's JSON; a proxy may have answered (HTTP 502)",
    );
  });

  test("that redirects is neither followed nor believed", () => {
    expect(failureOf(getSession, reply("", 302))).toBeInstanceOf(AgbUnexpectedReplyError);
  });
});
