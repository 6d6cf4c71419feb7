import * as fc from "fast-check";
import {
  defaultEndpoint,
  describeService,
  isLoopback,
  isSameService,
  normaliseEndpoint,
  serviceName,
} from "../../provider/api/endpoint";

test.each([
  ["sdk-api.agb.cloud", "https://sdk-api.agb.cloud"],
  ["sdk-api.agb.cloud/", "https://sdk-api.agb.cloud"],
  ["localhost:8080", "https://localhost:8080"],
  ["[::1]:8080", "https://[::1]:8080"],
  ["http://localhost:8080", "http://localhost:8080"],
  ["http://localhost:8080///", "http://localhost:8080"],
  ["https://gateway.example.com/agb/", "https://gateway.example.com/agb"],
  ["gateway.example.com/agb", "https://gateway.example.com/agb"],
  ["  sdk-api.agb.cloud\n", "https://sdk-api.agb.cloud"],
  ["HTTP://LOCALHOST:8080", "http://localhost:8080"],
])("the endpoint %j has the base URL %s", (endpoint, baseUrl) => {
  expect(normaliseEndpoint(endpoint)).toBe(baseUrl);
});

test.each([
  ["", "it is empty"],
  ["   ", "it is empty"],
  ["ftp://agb.cloud", 'the scheme "ftp" is not http or https'],
  ["agb cloud", "it is neither a host, host:port, nor a URL"],
  ["agb.cloud:port", "it is neither a host, host:port, nor a URL"],
  ["http://", "it is neither a host, host:port, nor a URL"],
  ["https://user:word@agb.cloud", "it contains a user name or password; AGB accepts only an API key"],
  ["agb.cloud?region=eu", "it contains a query or a fragment"],
  ["agb.cloud#eu", "it contains a query or a fragment"],
])("the endpoint %j is refused: %s", (endpoint, reason) => {
  expect(() => normaliseEndpoint(endpoint)).toThrow(new Error(reason));
});

test("an endpoint with a password is refused without repeating the password", () => {
  expect(() => normaliseEndpoint("https://user:hunter2@agb.cloud")).not.toThrow(/hunter2/);
});

test("the base URL of a base URL is the same, and never ends in a slash", () => {
  fc.assert(
    fc.property(fc.webUrl({ withQueryParameters: false, withFragments: false }), (url) => {
      const baseUrl = normaliseEndpoint(url);
      expect(baseUrl).not.toMatch(/\/$/);
      expect(normaliseEndpoint(baseUrl)).toBe(baseUrl);
    }),
  );
});

test.each([
  ["http://127.0.0.1:8080", true],
  ["http://127.8.0.1", true],
  ["http://localhost:1", true],
  ["http://[::1]:8080", true],
  [normaliseEndpoint(defaultEndpoint), false],
  ["https://127.example.com", false],
  ["https://localhost.example.com", false],
])("whether %s is on this machine: %s", (baseUrl, expected) => {
  expect(isLoopback(baseUrl)).toBe(expected);
});

const agb = normaliseEndpoint(defaultEndpoint);
const local = "http://127.0.0.1:8787";

test.each([
  [agb, undefined, undefined, "sdk-api.agb.cloud"],
  [agb, "abc", undefined, "sdk-api.agb.cloud"],
  ["https://eu.example.com", undefined, "https://eu.example.com", "https://eu.example.com"],
  [local, undefined, local, local],
  [local, "abc", "local:abc", "the local emulator with id abc"],
  ["http://agb:8787", "abc", "local:abc", "the local emulator with id abc"],
])("the service at %s that gives the id %s is %s, in words: %s", (baseUrl, emulatorId, name, words) => {
  expect(serviceName(baseUrl, emulatorId)).toBe(name);
  expect(describeService(name)).toBe(words);
  expect(isSameService(name, baseUrl, emulatorId)).toBe(true);
});

test.each([
  ["local", local, "abc", true],
  ["local", "http://[::1]:1", undefined, true],
  ["local", "https://eu.example.com", undefined, false],
  ["local", agb, undefined, false],
  ["local:abc", "http://localhost:1", "abc", true],
  ["local:abc", local, "def", false],
  ["local:abc", local, undefined, false],
  ["local:abc", agb, undefined, false],
  [local, local, "abc", true],
  [local, "http://127.0.0.1:8788", undefined, false],
  [undefined, agb, undefined, true],
  [undefined, local, undefined, false],
  ["https://eu.example.com", agb, undefined, false],
])("the service %s is the one at %s that gives the id %s: %s", (name, baseUrl, emulatorId, expected) => {
  expect(isSameService(name, baseUrl, emulatorId)).toBe(expected);
});
