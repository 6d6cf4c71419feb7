import * as fc from "fast-check";
import { findProxy } from "../../provider/api/proxy";

const direct = undefined;

test.each<[string, Record<string, string>, string | undefined]>([
  ["https://agb.example", {}, direct],
  ["https://agb.example", { HTTPS_PROXY: "http://p:1" }, "the proxy http://p:1 (HTTPS_PROXY)"],
  ["https://agb.example", { https_proxy: "http://p:1" }, "the proxy http://p:1 (https_proxy)"],
  [
    "https://agb.example",
    { HTTPS_PROXY: "http://p:1", https_proxy: "http://q:2" },
    "the proxy http://q:2 (https_proxy)",
  ],
  ["https://agb.example", { HTTPS_PROXY: "http://p:1", https_proxy: "" }, direct],
  ["https://agb.example", { HTTP_PROXY: "http://p:1" }, "the proxy http://p:1 (HTTP_PROXY)"],
  ["https://agb.example", { HTTPS_PROXY: "p.example:3128" }, "the proxy http://p.example:3128 (HTTPS_PROXY)"],
  ["https://agb.example", { HTTPS_PROXY: "https://p.example" }, "the proxy https://p.example (HTTPS_PROXY)"],
  ["http://agb.example", { HTTPS_PROXY: "http://p:1" }, direct],
  ["http://agb.example", { HTTP_PROXY: "http://p:1" }, "the proxy http://p:1 (HTTP_PROXY)"],
  ["http://127.0.0.1:8787", { HTTP_PROXY: "http://p:1" }, direct],
  ["https://localhost", { HTTPS_PROXY: "http://p:1" }, direct],
])("%s with %j goes through %s", (baseUrl, environment, label) => {
  expect(findProxy(baseUrl, environment)?.label).toBe(label);
});

test.each<[string, string, boolean]>([
  ["https://agb.example", "agb.example", true],
  ["https://agb.example", "AGB.Example", true],
  ["https://sdk-api.agb.example", "agb.example", true],
  ["https://sdk-api.agb.example", ".agb.example", true],
  ["https://sdk-api.agb.example", "*.agb.example", true],
  ["https://notagb.example", "agb.example", false],
  ["https://agb.example", "other.example agb.example", true],
  ["https://agb.example", "other.example,agb.example", true],
  ["https://agb.example", "*", true],
  ["https://agb.example", "", false],
  ["https://agb.example", ",", false],
  ["https://agb.example", "agb.example:443", true],
  ["https://agb.example", "agb.example:8443", false],
  ["https://agb.example:8443/path", "agb.example:8443", true],
  ["http://10.0.0.7", "10.0.0.7", true],
  ["http://[2001:db8::1]:80", "[2001:db8::1]", true],
  ["http://[2001:db8::1]:8080", "[2001:db8::1]:80", false],
  ["http://[2001:db8::1]", "2001:db8::1", true],
])("%s with NO_PROXY=%j is reached directly: %s", (baseUrl, list, expected) => {
  const environment = { HTTP_PROXY: "http://p:1", NO_PROXY: list };
  expect(findProxy(baseUrl, environment) === undefined).toBe(expected);
});

test("a user name and password are sent to the proxy and not shown", () => {
  const proxy = findProxy("https://agb.example", { HTTPS_PROXY: "http://me:p%40ss%3Aword@p:1" });
  expect(proxy?.authorization).toBe(`Basic ${Buffer.from("me:p@ss:word").toString("base64")}`);
  expect(proxy?.label).toBe("the proxy http://p:1 (HTTPS_PROXY)");
});

test.each([
  ["socks5://me:hidden@p:1080", /^HTTPS_PROXY cannot be used: only proxies with http:\/\/ or https:\/\/ .*NO_PROXY/],
  ["http://me:hidden@p:port", /^HTTPS_PROXY cannot be used: it is neither/],
])("a proxy %s is refused with the name of its variable, without its password", (value, expected) => {
  const find = () => findProxy("https://agb.example", { HTTPS_PROXY: value });
  expect(find).toThrow(expected);
  expect(find).not.toThrow(/hidden/);
});

test("no message contains a password, whatever the variable contains", () => {
  fc.assert(
    fc.property(fc.webUrl({ withQueryParameters: true }), fc.stringMatching(/^[a-z%]{4,9}$/), (url, noise) => {
      const value = url.replace("://", `://user-${noise}:secret-${noise}@`);
      try {
        expect(findProxy("https://agb.example", { HTTPS_PROXY: value })?.label).not.toContain("secret-");
      } catch (error) {
        expect(String(error)).not.toContain("secret-");
      }
    }),
  );
});
