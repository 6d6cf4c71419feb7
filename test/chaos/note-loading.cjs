// Loaded first by every Node process of a run. Records which of Pulumi's provider processes have loaded this package.

const { writeFileSync } = require("node:fs");
const Module = require("node:module");
const { join } = require("node:path");

const load = Module._load;
Module._load = function recordLoading(request, ...rest) {
  const loaded = load.call(this, request, ...rest);
  if (request === "pulumi-agb/dynamic") {
    writeFileSync(join(process.env.CHAOS_NOTES, String(process.pid)), "");
  }
  return loaded;
};
