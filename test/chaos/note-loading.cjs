// Loaded first by every Node process of a run. Records which of Pulumi's provider processes have loaded this package. The plugin
// is one file, which is loaded from the start.

const { writeFileSync } = require("node:fs");
const Module = require("node:module");
const { basename, join } = require("node:path");

const record = () => writeFileSync(join(process.env.CHAOS_NOTES, String(process.pid)), "");

if (basename(process.argv[1] ?? "") === "pulumi-resource-agb") {
  record();
}

const load = Module._load;
Module._load = function recordLoading(request, ...rest) {
  const loaded = load.call(this, request, ...rest);
  if (request === "pulumi-agb/dynamic") {
    record();
  }
  return loaded;
};
