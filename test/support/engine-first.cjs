// Runs the tests that use the engine before all others, so that no slow file is left over at the end. jest itself starts the
// longest files first, but knows how long a file takes only when it has run before.

const { createRequire } = require("node:module");

const requireOfJest = createRequire(createRequire(require.resolve("jest")).resolve("@jest/core"));
const { default: Sequencer } = requireOfJest("@jest/test-sequencer");

const isEngineTest = ({ path }) => /[\\/]test[\\/]engine[\\/]|\.engine\.test\./.test(path);

module.exports = class EngineFirst extends Sequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    return [...sorted.filter(isEngineTest), ...sorted.filter((test) => !isEngineTest(test))];
  }
};
