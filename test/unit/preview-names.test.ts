import fc from "fast-check";
import {
  parseCommit,
  parseOrganization,
  parseRequest,
  qualifyStack,
  requestOfListedStack,
  requestOfStack,
  stackOfRequest,
} from "../../provider/previews/stack-name";

test("the name of a request's stack leads back to the request", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1 }), (request) => {
      expect(requestOfStack(stackOfRequest(request))).toBe(request);
      expect(parseRequest(String(request))).toBe(request);
    }),
  );
});

test.each(["pr-", "pr-0", "pr-012", "pr-1a", "pr-1 ", "pr--1", "PR-1", "production", "xpr-1", "pr-1\n", ""])(
  "%j is the stack of no request",
  (stack) => {
    expect(requestOfStack(stack)).toBeUndefined();
  },
);

test.each(["", "0", "-1", "1.5", "01", "1e3", "12; rm -rf /", "９", "9".repeat(16), " 1"])(
  "%j is no request",
  (text) => {
    expect(() => parseRequest(text)).toThrow("Give the number of a request, such as 12.");
  },
);

test("a commit is hexadecimal, 7 to 64 digits, in lower case", () => {
  expect(parseCommit("9F3C2E1")).toBe("9f3c2e1");
  expect(parseCommit("a".repeat(64))).toHaveLength(64);
});

test.each(["", "9f3c2e", "a".repeat(65), "9f3c2e1\n", "9f3c2eg", "$(id)1234567"])("%j is not a commit", (text) => {
  expect(() => parseCommit(text)).toThrow("Give 7 to 64 hexadecimal digits.");
});

test.each(["", "a/b", "--help", "a b", "$(id)"])("%j is not an organization", (text) => {
  expect(() => parseOrganization(text)).toThrow("Give letters, digits,");
});

test("stacks of other organizations do not count as those of the requested one", () => {
  expect(qualifyStack("pr-1", parseOrganization("acme"))).toBe("acme/pr-1");
  expect(qualifyStack("pr-1", undefined)).toBe("pr-1");
  expect(requestOfListedStack("acme/pr-1", "acme")).toBe(1);
  // Pulumi leaves out the organization that is the user's default.
  expect(requestOfListedStack("pr-1", "acme")).toBe(1);
  expect(requestOfListedStack("other/pr-1", "acme")).toBeUndefined();
  expect(requestOfListedStack("acme/pr-1", undefined)).toBeUndefined();
  expect(requestOfListedStack("acme/shop/pr-1", "acme")).toBeUndefined();
});
