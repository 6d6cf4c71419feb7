#!/usr/bin/env node
// The command in this checkout and in the package. npm links it while it installs, before the first build makes `dist`.
require("../dist/cli/main.js");
