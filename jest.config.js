const { availableParallelism } = require("node:os");
const { compilerOptions } = require("./tsconfig.json");

/** @type {import("jest").Config} */
module.exports = {
  testEnvironment: "node",
  roots: ["<rootDir>/test"],
  testMatch: ["**/*.test.ts"],
  testSequencer: "<rootDir>/test/support/engine-first.cjs",
  // Many tests wait for other processes. With jest's default, two cores would run one file at a time.
  maxWorkers: availableParallelism() + 1,
  // Types are checked by `npm run check`. Jest cannot load modules with `import()`, so that becomes `require`, as in the package.
  transform: {
    "\\.ts$": [
      "ts-jest",
      {
        diagnostics: false,
        tsconfig: { ...compilerOptions, module: "CommonJS", moduleResolution: "Node10", esModuleInterop: true },
      },
    ],
  },
  // TypeScript demands the extension in an `import()`.
  moduleNameMapper: { "^(\\.\\./kinds/.*)\\.js$": "$1" },
  // The programs of recorded states all have one package name, which jest would warn of.
  modulePathIgnorePatterns: ["<rootDir>/dist", "<rootDir>/test/fixtures/states/[0-9]"],
  // Only a test that hangs takes this long, however busy the machine is.
  testTimeout: 120_000,
};
