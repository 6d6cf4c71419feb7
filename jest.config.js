/** @type {import("jest").Config} */
module.exports = {
  testEnvironment: "node",
  roots: ["<rootDir>/test"],
  testMatch: ["**/*.test.ts"],
  // Types are checked by `npm run check`.
  transform: { "\\.ts$": ["ts-jest", { diagnostics: false }] },
  // The programs of recorded states all have one package name, which jest would warn of.
  modulePathIgnorePatterns: ["<rootDir>/dist", "<rootDir>/test/fixtures/states/[0-9]"],
  testTimeout: 30_000,
};
