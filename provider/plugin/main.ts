/**
 * The program `pulumi-resource-agb`, which Pulumi's engine starts. The build puts version and schema into it.
 */
import "./refuse-old-node";
import { runPlugin } from "../hosts/plugin";
import { openServedPackage } from "./served-package";

declare const PLUGIN_VERSION: string;
declare const PLUGIN_SCHEMA: string;

/** As in the dynamic provider, see `docs/adr/0011-a-provider-ends-with-its-run.md`. */
const endLimitMs = 20_000;

void runPlugin(
  {
    open: (say) => openServedPackage({ version: PLUGIN_VERSION, schema: PLUGIN_SCHEMA }, { say }),
    endLimitMs,
  },
  process.argv.slice(2),
).catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
