// `npm run build` brings `dist` up to date. `npm run build -- --force` builds it even if nothing has changed.

import { buildPackage } from "./build-package";

void buildPackage({ isForced: process.argv.includes("--force") }).catch((error: Error) => {
  console.error(error.stack ?? error.message);
  process.exitCode = 1;
});
