import type { IncomingMessage } from "node:http";
import { mayOpenPage } from "../../provider/emulator/admin/access";

const rules = {
  pageToken: "token",
  listensOn: "0.0.0.0",
  isKeyRequired: () => true,
  acceptsKey: (key: string) => key === "the-key",
};

function from(remoteAddress: string, authorization?: string): IncomingMessage {
  return { headers: { authorization }, socket: { remoteAddress } } as unknown as IncomingMessage;
}

test.each(["127.0.0.1", "::1", "::ffff:127.0.0.1"])("the page opens for %s without a key", (address) => {
  expect(mayOpenPage(from(address), rules)).toBe(true);
});

test.each(["192.0.2.1", "::ffff:192.0.2.1", "fe80::127.0.0.1"])("%s needs the key, also as a password", (address) => {
  const basic = (password: string) => `Basic ${Buffer.from(`name:${password}`).toString("base64")}`;

  expect(mayOpenPage(from(address), rules)).toBe(false);
  expect(mayOpenPage(from(address, "Bearer other"), rules)).toBe(false);
  expect(mayOpenPage(from(address, basic("other")), rules)).toBe(false);
  expect(mayOpenPage(from(address, "Bearer the-key"), rules)).toBe(true);
  expect(mayOpenPage(from(address, basic("the-key")), rules)).toBe(true);
  expect(mayOpenPage(from(address), { ...rules, isKeyRequired: () => false })).toBe(true);
});
