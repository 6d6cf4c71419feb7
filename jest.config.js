const { availableParallelism } = require("node:os");

/** @type {import("jest").Config} */
module.exports = {
  testEnvironment: "node",
  roots: ["<rootDir>/test"],
  testMatch: ["**/*.test.ts"],
  testSequencer: "<rootDir>/test/support/engine-first.cjs",
  // Many tests wait for other processes. With jest's default, two cores would run one file at a time.
  maxWorkers: availableParallelism() + 1,
  // Types are checked by `npm run check`.
  transform: { "\\.ts$": ["ts-jest", { diagnostics: false }] },
  // The programs of recorded states all have one package name, which jest would warn of.
  modulePathIgnorePatterns: ["<rootDir>/dist", "<rootDir>/test/fixtures/states/[0-9]"],
  // Only a test that hangs takes this long, however busy the machine is.
  testTimeout: 120_000,
};
