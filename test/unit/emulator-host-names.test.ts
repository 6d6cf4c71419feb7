import { hostname } from "node:os";
import { baseUrl, checkHost, isLoopbackHost } from "../../provider/emulator/host-names";

test.each(["127.0.0.1", "127.3.2.1", "::1", "localhost"])("%s is this computer only", (host) => {
  expect(isLoopbackHost(host)).toBe(true);
});

test.each(["0.0.0.0", "::", "192.168.1.2", "127.0.0.1.evil.example", "emulator"])("%s is not", (host) => {
  expect(isLoopbackHost(host)).toBe(false);
});

test.each(["localhost:80", "127.0.0.1", "127.0.0.2:80", "[::1]:80", "LOCALHOST"])(
  "the name %s is always answered",
  (name) => {
    for (const listensOn of ["127.0.0.1", "::1", "0.0.0.0", "emulator"]) {
      expect(() => checkHost(name, listensOn)).not.toThrow();
    }
  },
);

test.each(["192.168.1.2:80", "[fe80::1]", hostname(), "emulator"])(
  "the name %s is answered when others may connect",
  (name) => {
    expect(() => checkHost(name, "emulator")).not.toThrow();
    expect(() => checkHost(name, "127.0.0.1")).toThrow("Host header");
  },
);

test.each(["evil.example", "emulator.evil.example", "1.2.3.4.evil.example", "", undefined])(
  "the name %s never is",
  (name) => {
    expect(() => checkHost(name, "emulator")).toThrow("Host header");
    expect(() => checkHost(name, "0.0.0.0")).toThrow("Host header");
  },
);

test.each([
  ["127.0.0.1", "http://127.0.0.1:80"],
  ["0.0.0.0", "http://127.0.0.1:80"],
  ["::", "http://[::1]:80"],
  ["fe80::1", "http://[fe80::1]:80"],
  ["emulator", "http://emulator:80"],
])("an emulator on %s is reached at %s", (host, url) => {
  expect(baseUrl(host, 80)).toBe(url);
});
