import { readEnvelope } from "../../provider/api/envelope";
import { contextGoneCodes } from "../../provider/api/gone";

/** The name of the error that a reply to a lookup becomes. */
function verdictOf(reply: Record<string, unknown>, status = 400): string {
  try {
    const rules = { name: "GetContext", goneCodes: contextGoneCodes, innerVerdict: false };
    readEnvelope(rules, { status, text: JSON.stringify({ success: false, ...reply }) });
    return "success";
  } catch (error) {
    return (error as Error).name;
  }
}

test.each([
  "InvalidContext.NotFound",
  "Context.NotFound",
  "ContextNotFound",
  "InvalidSdkContext.NotFound",
  "Sdk.ContextId_NotFound",
])("the code %s means that a context is gone", (code) => {
  expect(verdictOf({ code })).toBe("AgbNotFoundError");
  expect(verdictOf({ code }, 200)).toBe("AgbNotFoundError");
});

test.each([
  "InvalidAction.NotFound",
  "InvalidMcpSession.NotFound",
  "InvalidContextFile.NotFound",
  "InvalidSecurityContext.NotFound",
  "SecurityContextNotFound",
  "InvalidUser.NotFound",
  "NotFound",
  "InvalidContext.NameExists",
  "",
])("the code %j does not, whatever the message says", (code) => {
  expect(verdictOf({ code, message: "Context not found" })).toBe("AgbApiError");
});

test("a failing server and a refused key say nothing about a context", () => {
  expect(verdictOf({ code: "ContextNotFound" }, 500)).toBe("AgbApiError");
  expect(verdictOf({ code: "ContextNotFound" }, 401)).toBe("AgbAuthenticationError");
  expect(verdictOf({ code: "ContextNotFound" }, 403)).toBe("AgbAuthenticationError");
});
