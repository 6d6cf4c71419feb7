import { hostname } from "node:os";
import { ManualClock, startEmulator } from "../../provider/emulator";
import { askAdmin } from "../support/admin-requests";
import { ask, list } from "../support/emulator-requests";

test("more requests per second than allowed get HTTP 429 with Retry-After", async () => {
  const clock = new ManualClock();
  const emulator = await startEmulator({ clock, requestsPerSecond: 2 });
  try {
    expect([(await list(emulator.url)).status, (await list(emulator.url)).status]).toEqual([200, 200]);

    const third = await list(emulator.url);
    expect(third.status).toBe(429);
    expect(third.headers.get("retry-after")).toBe("1");
    expect(third.body).toMatchObject({ success: false, code: "Throttling", httpStatusCode: 429 });
    expect((await ask(emulator.url, "GET", "/sdk/ListSession", { key: null })).body.code).toBe("NOT_LOGIN");
    expect((await askAdmin(emulator.url, "GET", "sessions")).status).toBe(200);

    clock.advance(1_000);
    expect((await list(emulator.url)).status).toBe(200);
  } finally {
    await emulator.close();
  }
});

test("an emulator that other machines can reach answers only to its own names, and requires the key for its page", async () => {
  const emulator = await startEmulator({ host: "0.0.0.0", apiKeys: ["the-key"] });
  try {
    expect(emulator.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const authorization = "Bearer the-key";
    for (const host of [hostname(), "192.0.2.1:80", "localhost"]) {
      expect((await askAdmin(emulator.url, "GET", "clock", undefined, { host, authorization })).status).toBe(200);
    }
    expect((await askAdmin(emulator.url, "GET", "clock", undefined, { host: "evil.example" })).status).toBe(421);
    expect((await askAdmin(emulator.url, "GET", "clock")).status).toBe(401);
  } finally {
    await emulator.close();
  }
});

test("onRequest is called with every request", async () => {
  const told: string[] = [];
  const emulator = await startEmulator({ onRequest: ({ operation }) => told.push(operation) });
  try {
    await list(emulator.url);
    await ask(emulator.url, "GET", "/nowhere");

    expect(told).toEqual(["ListSession", "unknown"]);
  } finally {
    await emulator.close();
  }
});
