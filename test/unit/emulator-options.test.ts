import { type EmulatorOptions, startEmulator } from "../../provider/emulator";
import { resolveOptions } from "../../provider/emulator/options";

test("everything has a default", () => {
  expect(resolveOptions({})).toMatchObject({
    port: 0,
    images: expect.arrayContaining(["agb-code-space-1", "img-*"]),
    releaseDelayMs: 200,
    defaultIdleTimeoutSeconds: 300,
    maximumLifetimeSeconds: 1800,
    setLabel: "replace",
    labelIndexDelayMs: 0,
    latencyMs: 0,
    labelLimits: { count: 20, keyLength: 128, valueLength: 256 },
  });
});

test("a part of the label limits can be given alone", () => {
  expect(resolveOptions({ labelLimits: { count: 5 } }).labelLimits).toEqual({
    count: 5,
    keyLength: 128,
    valueLength: 256,
  });
});

test.each([
  ["port", { port: 65_536 }],
  ["port", { port: -1 }],
  ["statePath", { statePath: "" }],
  ["clock", { clock: {} }],
  ["apiKeys", { apiKeys: [] }],
  ["apiKeys.0", { apiKeys: [""] }],
  ["releaseDelayMs", { releaseDelayMs: -1 }],
  ["releaseDelayMs", { releaseDelayMs: Number.NaN }],
  ["defaultIdleTimeoutSeconds", { defaultIdleTimeoutSeconds: 0 }],
  ["setLabel", { setLabel: "add" }],
  ["maximumSessions", { maximumSessions: 0 }],
  ["pageCap", { pageCap: 0 }],
  ["requestsPerSecond", { requestsPerSecond: 0 }],
  ["onRequest", { onRequest: "log" }],
  ["host", { host: "" }],
  ["host", { host: "0.0.0.0" }],
  ["host", { host: "localhost.evil.example" }],
  ["apiKeys", { host: "0.0.0.0", apiKeys: [] }],
  ["labelLimits.count", { labelLimits: { count: 1.5 } }],
  ["faults.0.operation", { faults: [{ operation: "release" }] }],
  ["idleTimeout", { idleTimeout: 5 }],
])("a bad %s is refused by name", async (name, options) => {
  await expect(startEmulator(options as unknown as EmulatorOptions)).rejects.toMatchObject({
    name: "EmulatorStartError",
    code: "INVALID_OPTION",
    message: expect.stringContaining(name),
  });
});
