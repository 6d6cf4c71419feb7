#!/usr/bin/env node
// The command, in this checkout and in the package. npm links this file during install, before the first build creates `dist`.
require("../dist/cli/main.js");
