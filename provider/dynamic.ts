/**
 * What Pulumi's dynamic-provider process loads: one object for each resource kind. The state of every stack holds the
 * names exported here (see `resources/reference.ts`), so they must never change.
 */
import { serveDynamically } from "./hosts/dynamic";
import { openProvider } from "./kinds/provider";

// Pulumi shows what a provider writes to its error stream as a diagnostic of the run.
const say = (message: string) => console.error(`agb: ${message}`);

const { kinds, configure, abandonCreates } = openProvider({ say });

/**
 * Limit of releasing what was being created when a run ends early, in milliseconds. AGB answers a create and a release within
 * seconds. The sweep finds what was not released by then.
 */
const endLimitMs = 20_000;

export const { session, context, command, stackIdentity } = serveDynamically({
  kinds,
  configure,
  say,
  onEnd: abandonCreates,
  endLimitMs,
});
